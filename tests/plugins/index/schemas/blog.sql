create table author(id serial primary key, handle varchar(40) not null unique);
create table post(id serial primary key, author_id int not null references author, slug text not null, body text,
  published timestamptz, unique (author_id, slug));
create index post_published on post(published desc) where published is not null;
create table comment(id serial primary key, post_id int not null references post on delete cascade,
  parent_id int references comment on delete cascade, body text not null, created timestamptz not null default now());
create index comment_post on comment(post_id, created);
create index comment_parent on comment(parent_id) where parent_id is not null;
create table tag(id serial primary key, name text not null unique);
create table post_tag(post_id int references post on delete cascade, tag_id int references tag on delete cascade,
  primary key (post_id, tag_id));
create index post_tag_tag on post_tag(tag_id, post_id);
insert into author(handle) select 'a' || i from generate_series(1, 50) i;
insert into post(author_id, slug, body, published) select i % 50 + 1, 'p-' || i, repeat('x', 200),
  case when i % 5 > 0 then timestamptz '2026-01-01' + i * interval '1 h' end from generate_series(1, 1500) i;
insert into comment(post_id, body) select i % 1500 + 1, 'c' from generate_series(1, 4000) i;
insert into comment(post_id, parent_id, body) select post_id, id, 'r' from comment where id % 3 = 0;
insert into tag(name) select 't' || i from generate_series(1, 60) i;
insert into post_tag select i, (i * k) % 60 + 1 from generate_series(1, 1500) i, generate_series(1, 3) k on conflict do nothing;
-- traffic
select * from post where author_id = 3 and slug = 'p-102';
select id from post where published is not null order by published desc limit 10;
select * from comment where post_id = 9 order by created;
with recursive t as (select id from comment where id = 3 union all select c.id from t join comment c on c.parent_id = t.id)
  select count(*) from t;
select post_id from post_tag where tag_id = 7;
delete from post where id in (20, 40, 60);
