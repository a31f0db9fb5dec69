create table account(id bigserial primary key, email text not null, name text not null, deleted timestamptz,
  data jsonb not null default '{}', created timestamp not null);
create unique index account_email on account(lower(email)) where deleted is null;
create index account_name on account(lower(name) text_pattern_ops);
create index account_day on account(date_trunc('day', created));
create index account_plan on account((data ->> 'plan'), created);
create index account_city on account((data ->> 'city')) where data ->> 'city' is not null;
create statistics account_day_stats on date_trunc('day', created) from account;
insert into account(email, name, data, created) select 'A' || i || '@X.org', 'Name ' || i, jsonb_build_object('plan',
  'p' || i % 4, 'city', 'c' || i % 300), timestamp '2026-01-01' + i * interval '1 h' from generate_series(1, 4000) i;
-- traffic
select id from account where lower(email) = 'a5@x.org' and deleted is null;
select id from account where lower(name) like 'name 12%';
select count(*) from account where date_trunc('day', created) = '2026-01-04';
select id from account where data ->> 'plan' = 'p1' order by created limit 5;
select id from account where data ->> 'city' = 'c9';
update account set deleted = now() where id < 9;
