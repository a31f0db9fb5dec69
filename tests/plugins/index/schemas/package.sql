create schema tool;
create type tool.mood as enum ('bad', 'fair', 'good');
create domain tool.percent as numeric check (value between 0 and 100);
create type tool.pair as (a int, b text);
create type tool.span as range (subtype = float8, subtype_diff = float8mi);
create function tool.touch() returns trigger language plpgsql as $$ begin new.changed := now(); return new; end $$;
create function tool.score(int) returns int immutable language sql as 'select $1 * 2';
create table tool.setting(name text primary key, value tool.percent, feeling tool.mood default 'fair', extra tool.pair,
  changed timestamptz);
create trigger touch before update on tool.setting for each row execute function tool.touch();
create trigger off before insert on tool.setting for each row execute function tool.touch();
alter table tool.setting disable trigger off;
create index setting_score on tool.setting(tool.score(length(name)));
create index setting_feeling on tool.setting(feeling, changed);
create table tool.version(number int not null);
insert into tool.version values (7);
create aggregate tool.total(int) (sfunc = int4pl, stype = int, initcond = '0');
insert into tool.setting(name, value, extra) select 'setting ' || i, i % 100, row(i, 'x')::tool.pair
  from generate_series(1, 2000) i;
-- traffic
update tool.setting set value = 3 where name = 'setting 9';
select name from tool.setting where tool.score(length(name)) = 18;
select name from tool.setting where feeling = 'good' order by changed;
select tool.total(number) from tool.version;
