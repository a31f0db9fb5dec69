create table node(id int primary key, parent_id int references node on delete cascade, path text not null, position int not null,
  kind "char" not null default 'n', constraint node_order unique (parent_id, position) deferrable initially deferred);
create index node_path on node(path text_pattern_ops);
create table closure(ancestor int references node on delete cascade, descendant int references node on delete cascade,
  depth int not null, primary key (ancestor, descendant));
create index closure_up on closure(descendant, depth);
insert into node select i, nullif(i / 4, 0), i::text || '/' || (i / 4)::text, i % 4 from generate_series(1, 3000) i;
insert into closure select id, id, 0 from node;
insert into closure select parent_id, id, 1 from node where parent_id is not null;
-- traffic
select id from node where parent_id = 30 order by position;
select id from node where path like '77/%';
select ancestor from closure where descendant = 99 order by depth;
delete from node where id = 2999;
