"""The queries of the catalog, for PostgreSQL 13 and newer."""

NAMES = """
select n.name, pg_catalog.to_regclass(n.name)::pg_catalog.oid as oid
from pg_catalog.unnest($1::pg_catalog.text[]) n (name)
where pg_catalog.to_regclass(n.name) is not null
"""
"""By the session's search_path; the names are quoted."""

TABLES = """
select c.oid, pg_catalog.quote_ident(n.nspname) as schema, pg_catalog.quote_ident(c.relname) as name,
    c.relname::pg_catalog.text as plain,
    c.relkind::pg_catalog.text as kind, greatest(c.reltuples, 0)::pg_catalog.float8 as rows, c.relpages as pages,
    least(1, c.relallvisible / greatest(c.relpages, 1)::pg_catalog.float8) as visible,
    c.relpersistence::pg_catalog.text as persistence, c.relispartition as partition, c.relhassubclass as parent,
    n.nspname in ('pg_catalog', 'information_schema', 'pg_toast') as system,
    exists (select from pg_catalog.pg_depend d where d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
        and d.objid = c.oid and d.deptype = 'e') as extension,
    case when c.relkind = 'v' then pg_catalog.pg_get_viewdef(c.oid) else '' end as view,
    coalesce(s.n_tup_ins, 0)::pg_catalog.float8 as inserted, coalesce(s.n_tup_upd, 0)::pg_catalog.float8 as updated,
    coalesce(s.n_tup_hot_upd, 0)::pg_catalog.float8 as hot, coalesce(s.n_tup_del, 0)::pg_catalog.float8 as deleted,
    coalesce(s.seq_scan + coalesce(s.idx_scan, 0), 0)::pg_catalog.float8 as scans
from pg_catalog.pg_class c
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
left join pg_catalog.pg_stat_all_tables s on s.relid = c.oid
where c.oid = any($1::pg_catalog.oid[])
"""

SIZE = "select pg_catalog.pg_relation_size($1::pg_catalog.oid)"
"""Bytes; waits for a table that is locked."""

LEAVES = """
select r.oid as root, t.relid::pg_catalog.oid as leaf
from pg_catalog.unnest($1::pg_catalog.oid[]) r (oid), pg_catalog.pg_partition_tree(r.oid::pg_catalog.regclass) t
where t.isleaf and t.relid <> r.oid
"""

COLUMNS = """
select a.attrelid as oid, a.attname::pg_catalog.text as name, pg_catalog.quote_ident(a.attname) as quoted,
    a.attnum as number, t.typname::pg_catalog.text as type, t.typcategory::pg_catalog.text as category,
    a.attlen as length, case a.attalign when 'c' then 1 when 's' then 2 when 'i' then 4 else 8 end as align,
    s.avg_width as width, s.n_distinct as distinct, s.null_frac as nulls, s.correlation,
    s.most_common_vals::pg_catalog.text::pg_catalog.text[] as common, s.most_common_freqs as frequencies,
    b.typtype = 'e' or exists (select from pg_catalog.pg_opclass o join pg_catalog.pg_am m on m.oid = o.opcmethod
        where m.amname = 'btree' and o.opcdefault and (o.opcintype = b.oid or exists (select from pg_catalog.pg_cast p
            where p.castsource = b.oid and p.casttarget = o.opcintype and p.castmethod = 'b'
            and p.castcontext = 'i'))) as sortable,
    coalesce(l.collisdeterministic, true) as deterministic
from pg_catalog.pg_attribute a
join pg_catalog.pg_class c on c.oid = a.attrelid
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
join pg_catalog.pg_type t on t.oid = a.atttypid
join pg_catalog.pg_type b on b.oid = case when t.typtype = 'd' then t.typbasetype else t.oid end
left join pg_catalog.pg_collation l on l.oid = a.attcollation
left join pg_catalog.pg_stats s on s.schemaname = n.nspname and s.tablename = c.relname and s.attname = a.attname
    and s.inherited = (c.relkind = 'p')
where a.attrelid = any($1::pg_catalog.oid[]) and a.attnum > 0 and not a.attisdropped
order by a.attrelid, a.attnum
"""

INDEXES = """
select i.indrelid as oid, c.relname::pg_catalog.text as name, m.amname::pg_catalog.text as method,
    i.indisunique as unique, i.indnkeyatts as keys,
    coalesce(pg_catalog.pg_get_expr(i.indpred, i.indrelid), '') as predicate,
    array(select pg_catalog.pg_get_indexdef(c.oid, k::pg_catalog.int4, false)
        from pg_catalog.generate_series(1, i.indnatts) k order by k) as columns,
    array(select (i.indoption[k - 1] & 3)::pg_catalog.int4 from pg_catalog.generate_series(1, i.indnkeyatts) k
        order by k) as options,
    array(select case when o.opcdefault then '' else ' ' || o.opcname end
        from pg_catalog.generate_series(1, i.indnkeyatts) k
        join pg_catalog.pg_opclass o on o.oid = i.indclass[k - 1] order by k) as classes
from pg_catalog.pg_index i
join pg_catalog.pg_class c on c.oid = i.indexrelid
join pg_catalog.pg_am m on m.oid = c.relam
where i.indrelid = any($1::pg_catalog.oid[]) and i.indisvalid
"""

SETTINGS = """
select pg_catalog.current_setting('server_version_num')::pg_catalog.int4 as version,
    pg_catalog.pg_is_in_recovery() as replica,
    (select pg_catalog.quote_ident(n.nspname) from pg_catalog.pg_extension x
        join pg_catalog.pg_namespace n on n.oid = x.extnamespace where x.extname = 'hypopg') as hypopg,
    (select pg_catalog.quote_ident(n.nspname) from pg_catalog.pg_extension x
        join pg_catalog.pg_namespace n on n.oid = x.extnamespace where x.extname = 'pg_trgm') as trigrams,
    pg_catalog.has_database_privilege(pg_catalog.current_database(), 'temp') as temporary,
    (select setting::pg_catalog.float8 from pg_catalog.pg_settings where name = 'effective_cache_size') * 8192 as cache,
    (select setting::pg_catalog.float8 from pg_catalog.pg_settings where name = 'shared_buffers') * 8192 as buffers
"""
