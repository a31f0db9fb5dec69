create table job(id bigserial primary key, kind text not null, state text not null default 'pending', run_at timestamptz
  not null, attempts smallint not null default 0, payload jsonb not null default '{}')
  with (autovacuum_vacuum_scale_factor = 0.01, fillfactor = 80);
create index job_pending on job(run_at) where state = 'pending';
create index job_failed on job(kind, run_at) where state = 'failed';
create unique index job_once on job((payload ->> 'key')) where state in ('pending', 'running');
create table job_archive(like job including defaults, finished timestamptz not null default now());
create index job_archive_finished on job_archive using brin(finished);
insert into job(kind, state, run_at, payload) select 'k' || i % 9, case when i % 200 = 0 then 'pending' when i % 90 = 0 then
  'failed' else 'done' end, timestamptz '2026-01-01' + i * interval '1 s', jsonb_build_object('key', i)
  from generate_series(1, 9000) i;
insert into job_archive select *, run_at from job where state = 'done';
-- traffic
select id from job where state = 'pending' and run_at <= now() order by run_at for update skip locked limit 5;
update job set state = 'running', attempts = attempts + 1 where id in (200, 400, 600);
update job set state = 'done' where id in (200, 400, 600);
select id from job where state = 'failed' and kind = 'k0' order by run_at limit 10;
insert into job(kind, run_at, payload) values ('k1', now(), '{"key": "new"}') on conflict do nothing;
select count(*) from job_archive where finished between '2026-01-01 01:00' and '2026-01-01 01:10';
