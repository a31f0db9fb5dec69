"""The one query behind a catalog snapshot (PostgreSQL 13 to 18)."""

from __future__ import annotations

from typing import Final

from galvo_cache.allowed import (
    CAST_TYPES,
    CLOCK_TYPES,
    HARMLESS_CALLS,
    LANE_OIDS,
    SESSION_SETTINGS,
    STABLE_CALLS,
    STORED_PREFIXES,
)
from galvo_cache.external.triggers import OURS

_HARMLESS = ",".join(sorted(HARMLESS_CALLS | STABLE_CALLS))
_SETTINGS = ",".join(SESSION_SETTINGS)
_PREFIXES = "|".join(STORED_PREFIXES)
_CASTABLE = ",".join(sorted(CAST_TYPES - CLOCK_TYPES))
_FIELDS = "relid|funcid|opfuncid|aggfnoid|winfnoid|opno|eqop|sortop|vartype|consttype|resulttype|varattno"
_LANES = ",".join(map(str, sorted(LANE_OIDS)))

# "Loud" means: may run code that we have not read, and so may change any table. Functions of extensions
# are trusted not to write when they are in C and immutable, or in C and called by an index only; nothing
# else of the user's is. Sorting and hashing use the families of btree and hash alone. Object ids
# below 16384 are those of initdb. Dependencies on built-ins are not recorded, hence the look into the
# stored expressions (`:funcid`). No backslashes here: with standard_conforming_strings off they mean another thing.
CATALOG_SQL: Final = f"""
with space as materialized (
  select oid, nspname from pg_catalog.pg_namespace
  where oid = pg_my_temp_schema() or nspname !~ '^pg_(toast|temp_|toast_temp_)'
), native as materialized (
  select p.oid from pg_catalog.pg_proc p join pg_catalog.pg_language l on l.oid = p.prolang and l.lanname = 'c'
  join pg_catalog.pg_depend d on d.classid = 'pg_catalog.pg_proc'::regclass and d.objid = p.oid and d.deptype = 'e'
), proc as materialized (
  select p.oid, p.proname, n.nspname, p.provolatile, p.pronargs, p.pronargdefaults, p.provariadic, p.proargtypes,
    p.oid < 16384 and n.nspname = 'pg_catalog' as builtin,
    case when p.oid >= 16384 then p.provolatile <> 'i' or p.oid not in (select oid from native)
         when n.nspname = 'information_schema' then false
         else p.provolatile <> 'i' and p.proname <> all ('{{{_HARMLESS}}}') and p.proname !~ '^({_PREFIXES})'
    end as loud
  from pg_catalog.pg_proc p join space n on n.oid = p.pronamespace
), spelled as materialized (
  -- names of built-in functions: an overloaded one may be of several kinds
  select proname, bool_and(provolatile = 'i') as constant, bool_or(provolatile = 'v') as changing
  from proc where builtin group by 1
), class as materialized (
  select c.*, n.nspname, c.oid >= 16384 and n.nspname not in ('pg_catalog', 'information_schema') as own
  from pg_catalog.pg_class c join space n on n.oid = c.relnamespace where c.relkind in ('r','v','m','f','p','S','c')
), loud_oper as materialized (
  select o.oid from pg_catalog.pg_operator o join proc p on p.oid = o.oprcode where o.oid >= 16384 and p.loud
), loud_class as materialized (
  select c.oid from pg_catalog.pg_opclass c where c.oid >= 16384 and (
    exists (select from pg_catalog.pg_amproc a join proc p on p.oid = a.amproc
            where a.amprocfamily = c.opcfamily and p.loud and p.oid not in (select oid from native))
    or exists (select from pg_catalog.pg_amop a join loud_oper o on o.oid = a.amopopr
               where a.amopfamily = c.opcfamily))
), calls_loud as materialized (
  -- the function, if it is one that a declaration may excuse
  select d.classid, d.objid,
    case when d.refclassid = 'pg_catalog.pg_proc'::regclass then d.refobjid::int8 else 0 end as culprit
  from pg_catalog.pg_depend d
  where (d.refclassid = 'pg_catalog.pg_proc'::regclass
         and d.refobjid in (select oid from proc where loud and not builtin))
     or (d.refclassid = 'pg_catalog.pg_operator'::regclass and d.refobjid in (select oid from loud_oper))
     or (d.refclassid = 'pg_catalog.pg_opclass'::regclass and d.refobjid in (select oid from loud_class))
), stored as materialized (
  -- everything that runs when a relation is read (runs_on 1), written (2) or both (3)
  select 'pg_catalog.pg_rewrite'::regclass::oid as classid, w.oid as objid, w.ev_class as rel,
    case when w.ev_type = '1' and k.relkind = 'v' then 3 else 2 end as runs_on,
    case when w.ev_type = '1' then 'query' else '' end as role,
    concat(w.ev_action, w.ev_qual) as tree
    from pg_catalog.pg_rewrite w join pg_catalog.pg_class k on k.oid = w.ev_class where w.oid >= 16384
  union all select 'pg_catalog.pg_policy'::regclass, oid, polrelid, 3, 'policy', concat(polqual, polwithcheck)
    from pg_catalog.pg_policy
  union all select 'pg_catalog.pg_attrdef'::regclass, oid, adrelid, 2, '', adbin::text from pg_catalog.pg_attrdef
  union all select 'pg_catalog.pg_constraint'::regclass, oid, conrelid, 2, '', conbin::text
    from pg_catalog.pg_constraint where conrelid <> 0 and oid >= 16384
  union all select 'pg_catalog.pg_class'::regclass, indexrelid, indrelid, 2, '', concat(indexprs, indpred)
    from pg_catalog.pg_index
    where indexrelid >= 16384
), loud_stored as materialized (
  select s.rel, s.runs_on, json_agg(distinct x.culprit) as culprits from stored s, lateral (
      select d.culprit from calls_loud d where d.classid = s.classid and d.objid = s.objid
      union all
      select 0 from regexp_matches(s.tree, ':funcid ([0-9]+)', 'g') m
        join proc p on p.oid = m[1]::oid where p.builtin and p.loud) x
  group by s.rel, s.runs_on
), stored_types as materialized (
  select s.rel, json_agg(distinct d.refobjid::int8) as types from stored s
  join class c on c.oid = s.rel and c.own
  join pg_catalog.pg_depend d on d.classid = s.classid and d.objid = s.objid
  where d.refclassid = 'pg_catalog.pg_type'::regclass group by 1
), mention as materialized (
  -- what the queries of views and the policies are made of, by OID
  select s.objid, s.rel, s.role, m[1] as node, m[2] as field, m[3]::int8 as value
  from stored s join class c on c.oid = s.rel and c.own, regexp_matches(s.tree,
    '[{{](SQLVALUEFUNCTION :op [0-9]+|[A-Z][A-Z0-9_]*)|:({_FIELDS}) (-?[0-9]+)', 'g') m
  where s.role <> ''
), called as materialized (
  select m.objid, p.oid, m.field in ('funcid', 'aggfnoid', 'winfnoid') as named
  from mention m left join pg_catalog.pg_operator o on o.oid = m.value and m.field in ('opno', 'eqop', 'sortop')
  join pg_catalog.pg_proc p on p.oid = coalesce(o.oprcode, m.value)
  where m.field in ('funcid', 'aggfnoid', 'winfnoid', 'opfuncid', 'opno', 'eqop', 'sortop')
), typ as materialized (
  select t.oid, t.typname, t.typtype, t.typrelid,
    coalesce(e.oid, nullif(t.typbasetype, 0), r.rngsubtype, m.rngsubtype, 0) as part,
    t.typtype = 'b' and e.oid is null and exists (select from proc p where p.loud
        and p.oid in (t.typinput, t.typoutput, t.typreceive, t.typsend, t.typmodin, t.typmodout))
    or exists (select from calls_loud d where (d.classid = 'pg_catalog.pg_type'::regclass and d.objid = t.oid)
        and t.typtype in ('d','r','m'))
    or exists (select from pg_catalog.pg_constraint k where k.contypid = t.oid and (
        exists (select from calls_loud d where d.classid = 'pg_catalog.pg_constraint'::regclass and d.objid = k.oid)
        or exists (select from regexp_matches(k.conbin::text, ':funcid ([0-9]+)', 'g') x
                   join proc p on p.oid = x[1]::oid where p.builtin and p.loud))) as loud
  from pg_catalog.pg_type t join space n on n.oid = t.typnamespace
  left join pg_catalog.pg_type e on e.typarray = t.oid
  left join pg_catalog.pg_range r on r.rngtypid = t.oid
  left join pg_catalog.pg_range m on to_jsonb(m) ->> 'rngmultitypid' = t.oid::text
  where t.oid >= 16384
)
select json_build_object(
  'path', current_schemas(true),
  'session', json_build_array(current_user, session_user,
      array(select current_setting(name, true) from unnest('{{{_SETTINGS}}}'::text[]) name)),
  'encoding', current_setting('server_encoding'),
  'strings', current_setting('standard_conforming_strings'),
  'immutable', (select json_agg(proname order by proname) from spelled where constant),
  'stable', (select json_agg(proname order by proname) from spelled where not constant and not changing),
  'volatile', (select json_agg(proname order by proname) from spelled where changing),
  'functions', (select json_agg(json_build_array(proname, loud, field, schemas) order by proname) from (
      select proname, bool_or(loud) as loud, bool_or(provariadic <> 0 or pronargs > 0
          and pronargs - pronargdefaults <= 1 and t.typtype in ('c','p','d')) as field,
        json_object_agg(nspname, worst order by nspname) as schemas
      from (select *, max(provolatile) over (partition by proname, nspname) as worst from proc
            where proname in (select proname from proc where not builtin)) p
      left join pg_catalog.pg_type t on t.oid = proargtypes[0] where not builtin group by 1) x),
  'operators', (select json_agg(distinct o.oprname order by o.oprname) from pg_catalog.pg_operator o
      join proc p on p.oid = o.oprcode where o.oid >= 16384 and p.provolatile <> 'i'),
  'casts', exists (select from pg_catalog.pg_cast c left join pg_catalog.pg_proc p on p.oid = c.castfunc
      left join pg_catalog.pg_type s on s.oid = c.castsource where c.oid >= 16384 and (p.provolatile <> 'i'
        or c.castmethod = 'i' and c.casttarget < 16384 or c.castcontext = 'i' and s.typtype = 'c')),
  'families', exists (select from pg_catalog.pg_amproc a join pg_catalog.pg_proc p on p.oid = a.amproc
      join pg_catalog.pg_opfamily f on f.oid = a.amprocfamily join pg_catalog.pg_am m on m.oid = f.opfmethod
      where a.oid >= 16384 and p.provolatile <> 'i' and m.amname in ('btree', 'hash')),
  'types', (select json_agg(json_build_array(oid::int8, typname, typtype, part::int8, typrelid::int8, loud)
      order by oid) from typ),
  'shifty', (select json_agg(t.oid::int8 order by t.oid) from pg_catalog.pg_type t
      left join pg_catalog.pg_type e on e.typarray = t.oid where t.oid < 16384
        and (t.typtype in ('c','p') or e.typtype in ('c','p') or t.typname ~ '^_?(reg|aclitem|timetz)')),
  'relations', (select json_agg(json_build_array(c.oid::int8, c.nspname, c.relname, c.relkind,
      case when c.relpersistence = 't' then 'temporary_table'
           when not c.own then 'system_catalog'
           when c.relkind = 'r' and c.relam <> (select oid from pg_catalog.pg_am where amname = 'heap' and oid < 16384)
             then 'table_access_method' else '' end,
      (select json_agg(json_build_array(t.tgname, p.nspname, f.proname) order by t.oid)
         from pg_catalog.pg_trigger t join pg_catalog.pg_proc f on f.oid = t.tgfoid
         join pg_catalog.pg_namespace p on p.oid = f.pronamespace
         where t.tgrelid = c.oid and (not t.tgisinternal or t.tgfoid >= 16384) and t.tgfoid not in ({OURS})),
      (select json_agg(json_build_array(l.runs_on, l.culprits) order by l.runs_on)
         from loud_stored l where l.rel = c.oid),
      u.types,
      (select json_object_agg(a.attname, a.atttypid::int8 order by a.attnum) from pg_catalog.pg_attribute a
         where c.own and a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped),
      c.relrowsecurity,
      exists (select from pg_catalog.pg_rewrite r where r.ev_class = c.oid and r.ev_type <> '1')
      ) order by c.oid) from class c left join stored_types u on u.rel = c.oid),
  'inherits', (select json_agg(json_build_array(inhparent::int8, inhrelid::int8) order by inhrelid, inhseqno)
      from pg_catalog.pg_inherits i join class c on c.oid = i.inhrelid),
  'trees', (select json_agg(json_build_array(x.rel::int8, x.role, x.nodes, x.values, d.named, d.implied,
        y.calls, y.names) order by x.objid) from (
      select objid, rel, role, json_agg(distinct node) filter (where node is not null) as nodes,
        json_object_agg(field, list order by field) filter (where field is not null) as values from (
          select objid, rel, role, node, field, json_agg(distinct value) as list
          from mention group by 1, 2, 3, 4, 5) y
      group by 1, 2, 3) x
    left join (select objid, json_agg(distinct oid::int8) filter (where named) as named,
        json_agg(distinct oid::int8) filter (where not named) as implied from called group by 1) d using (objid)
    left join (select s.objid, json_agg(m[1] order by m[1]) as calls,
        json_agg(m[2] order by m[2]) filter (where m[2] <> '') as names
      -- a call of current_setting(), and once more with the name that it asks for, if that is a constant
      from stored s, regexp_matches(s.tree, ':funcid (2077|3294) (?:[^{{}}]*:args '
        '[(][{{]CONST :consttype 25 [^{{}}]*:constvalue [0-9]+ [[] ([-0-9 ]+)[]])?', 'g') m
      where s.role <> '' group by 1) y using (objid)),
  'called', (select json_object_agg(p.oid, json_build_array(p.nspname, p.proname, p.provolatile, p.builtin)
        order by p.oid)
      from proc p where p.oid in (select oid from called)
        or p.oid in (select d.culprit from calls_loud d join stored s on d.classid = s.classid and d.objid = s.objid)),
  'castable', (select json_agg(t.oid::int8 order by t.oid) from pg_catalog.pg_type t
      left join pg_catalog.pg_type e on e.typarray = t.oid
      where (t.oid < 16384 and t.typname = any ('{{{_CASTABLE}}}'))
        or (e.oid < 16384 and e.typname = any ('{{{_CASTABLE}}}')) or t.typtype = 'e'),
  'keys', (select json_agg(json_build_array(conrelid::int8, confrelid::int8, confdeltype, confupdtype,
      (select json_agg(a.attname) from pg_catalog.pg_attribute a
         where a.attrelid = conrelid and a.attnum = any (conkey)),
      (select json_agg(a.attname) from pg_catalog.pg_attribute a
         where a.attrelid = confrelid and a.attnum = any (confkey))) order by oid)
      from pg_catalog.pg_constraint where contype = 'f'),
  'lanes', (select json_agg(json_build_array(attrelid, attname, alone) order by attrelid, attnum) from (
      select a.attrelid::int8, a.attname, a.attnum, bool_or(i.indisunique and i.indimmediate and i.indnkeyatts = 1
          and i.indpred is null and i.indexprs is null and i.indclass[0] < 16384 and m.amname = 'btree') as alone
      from class c join pg_catalog.pg_attribute a on a.attrelid = c.oid and not a.attisdropped
      join pg_catalog.pg_index i on i.indrelid = c.oid and i.indkey[0] = a.attnum and i.indisvalid
      join pg_catalog.pg_class x on x.oid = i.indexrelid
      join pg_catalog.pg_am m on m.oid = x.relam and m.amname in ('btree', 'hash')
      left join pg_catalog.pg_collation o on o.oid = a.attcollation
      where c.own and c.relkind = 'r' and a.atttypid in ({_LANES}) and coalesce(o.collisdeterministic, true)
        -- an equality of the user's own between built-in types may be the one that a text means
        and not exists (select from pg_catalog.pg_operator e
                        where e.oid >= 16384 and e.oprname = '=' and e.oprleft < 16384 and e.oprright < 16384)
      group by 1, 2, 3) x),
  'generated', (select json_agg(json_build_array(a.attrelid::int8, a.attname) order by a.attrelid, a.attnum)
      from class c join pg_catalog.pg_attribute a on a.attrelid = c.oid and not a.attisdropped
      where c.own and a.attgenerated <> ''),
  'pulse', md5(concat(
      (select string_agg(concat_ws(' ', objid, rel, md5(tree)), ',' order by classid, objid) from stored
         where role <> ''),
      (select string_agg(concat_ws(' ', oid, polcmd, polpermissive, polroles), ',' order by oid)
         from pg_catalog.pg_policy),
      (select string_agg(concat_ws(' ', a.attrelid, a.attnum, a.attname, a.atttypid, a.atttypmod,
          a.attcollation, a.attisdropped, a.attacl), ',' order by a.attrelid, a.attnum)
         from pg_catalog.pg_attribute a join class c on c.oid = a.attrelid where c.own),
      (select string_agg(concat_ws(' ', oid, relacl, relowner, relforcerowsecurity, reloptions), ',' order by oid)
         from class where own),
      (select string_agg(concat_ws(' ', n.oid, n.nspacl), ',' order by n.oid) from pg_catalog.pg_namespace n
         join space s on s.oid = n.oid),
      (select string_agg(concat_ws(' ', enumtypid, enumsortorder, enumlabel), ',' order by oid)
         from pg_catalog.pg_enum),
      (select string_agg(concat_ws(' ', p.oid, p.provolatile, p.prosrc, p.probin,
          to_jsonb(p) ->> 'prosqlbody'), ',' order by p.oid)
         from pg_catalog.pg_proc p join proc q on q.oid = p.oid where not q.builtin),
      (select string_agg(concat_ws(' ', roleid, member), ',' order by roleid, member, grantor)
         from pg_catalog.pg_auth_members)))
)::text
"""  # noqa: S608 - built from our own constants
