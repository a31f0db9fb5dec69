create table document(id bigint generated always as identity primary key, title text not null, body text not null,
  tags text[] not null default '{}', attributes jsonb not null default '{}',
  words tsvector generated always as (to_tsvector('simple', title || ' ' || body)) stored);
create index document_words on document using gin(words);
create index document_tags on document using gin(tags);
create index document_attributes on document using gin(attributes jsonb_path_ops);
create table revision(document_id bigint not null references document on delete cascade, number int not null, body text,
  primary key (document_id, number));
insert into document(title, body, tags, attributes) select 'title ' || i, 'some words ' || md5(i::text), array['t' || i % 40,
  'u' || i % 7], jsonb_build_object('a', i % 100, 'b', jsonb_build_array(i % 3)) from generate_series(1, 1500) i;
insert into revision select i, k, 'old' from generate_series(1, 1500) i, generate_series(1, 3) k;
-- traffic
select id from document where words @@ to_tsquery('simple', 'title & 77');
select id from document where tags @> array['t3'];
select id from document where attributes @> '{"a": 5}';
select * from revision where document_id = 10 order by number desc limit 1;
delete from document where id = 3;
