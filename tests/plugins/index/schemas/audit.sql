create table document(id int primary key, body text not null, changed timestamptz not null default now());
create table change(id bigint generated always as identity, at timestamptz not null default clock_timestamp(), document_id int,
  old jsonb, primary key (id)) partition by hash (id);
create table change_0 partition of change for values with (modulus 2, remainder 0);
create table change_1 partition of change for values with (modulus 2, remainder 1);
create index change_at on change using brin(at) with (pages_per_range = 8);
create index change_document on change(document_id, id);
create function note() returns trigger language plpgsql as $$
  begin insert into change(document_id, old) values (old.id, to_jsonb(old)); return null; end $$;
create trigger note after update or delete on document for each row execute function note();
create rule never as on delete to change do instead nothing;
insert into document select i, 'body ' || i from generate_series(1, 1500) i;
update document set body = body || '.' where id <= 1200;
analyze change;
-- traffic
update document set body = 'new' where id between 5 and 25;
select * from change where document_id = 9 order by id desc limit 1;
select count(*) from change where at between '2020-01-01' and '2021-01-01';
delete from document where id = 1500;
