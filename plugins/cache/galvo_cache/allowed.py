"""What the analysis knows by heart: everything absent from these sets is refused."""

from __future__ import annotations

from typing import Final


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


READ_NODES: Final = _words("""
    RawStmt SelectStmt ResTarget ColumnRef A_Star A_Const A_Expr A_ArrayExpr A_Indirection A_Indices Alias
    BoolExpr BooleanTest NullTest CaseExpr CaseWhen CoalesceExpr MinMaxExpr RowExpr SubLink ParamRef
    FuncCall NamedArgExpr WindowDef SortBy GroupingFunc GroupingSet WithClause CommonTableExpr
    CTESearchClause CTECycleClause RangeVar RangeSubselect RangeFunction JoinExpr TypeCast TypeName
    CollateClause String Integer Float Boolean BitString
""")

# The same for the trees that the server stores; the names before PostgreSQL 16 are among them.
TREE_NODES: Final = _words("""
    QUERY RANGETBLENTRY RTE RTEPERMISSIONINFO RANGETBLREF RANGETBLFUNCTION FROMEXPR JOINEXPR ALIAS TARGETENTRY
    VAR CONST PARAM FUNCEXPR NAMEDARGEXPR OPEXPR DISTINCTEXPR NULLIFEXPR SCALARARRAYOPEXPR BOOLEXPR BOOLEANTEST
    NULLTEST CASEEXPR CASE CASEWHEN WHEN CASETESTEXPR COALESCEEXPR COALESCE MINMAXEXPR MINMAX ARRAYEXPR ARRAY
    ROWEXPR ROW SUBSCRIPTINGREF FIELDSELECT RELABELTYPE COERCEVIAIO ARRAYCOERCEEXPR COLLATEEXPR COLLATE
    SUBLINK AGGREF GROUPINGFUNC GROUPINGSET WINDOWFUNC WINDOWCLAUSE SORTGROUPCLAUSE SETOPERATIONSTMT
    COMMONTABLEEXPR
""")
# CURRENT_USER and its like, and the setting that stands for them
USER_FUNCTIONS: Final = {
    "SQLVALUEFUNCTION :op 9": "role",
    "SQLVALUEFUNCTION :op 10": "role",
    "SQLVALUEFUNCTION :op 11": "role",
    "SQLVALUEFUNCTION :op 12": "session_authorization",
}

# Nodes that run none of the user's code: not cacheable, but no danger to anybody's tables either.
HARMLESS_NODES: Final = _words("""
    SQLValueFunction LockingClause RangeTableSample RangeTableFunc RangeTableFuncCol ColumnDef XmlExpr
    XmlSerialize SetToDefault CurrentOfExpr MultiAssignRef InferClause IndexElem OnConflictClause
    MergeWhenClause MergeSupportFunc ReturningClause ReturningOption DefElem CopyStmt TruncateStmt
    InsertStmt UpdateStmt DeleteStmt MergeStmt JsonAggConstructor JsonArgument JsonArrayAgg
    JsonArrayConstructor JsonArrayQueryConstructor JsonBehavior JsonFormat JsonFuncExpr JsonIsPredicate
    JsonKeyValue JsonObjectAgg JsonObjectConstructor JsonOutput JsonParseExpr JsonReturning
    JsonScalarExpr JsonSerializeExpr JsonTable JsonTableColumn JsonTablePathSpec JsonValueExpr
""")

# Servers older than the parser read these as calls of a function, which may be the user's.
NODE_CALLS: Final = {
    "JsonParseExpr": ("json",),
    "JsonScalarExpr": ("json_scalar",),
    "JsonSerializeExpr": ("json_serialize",),
    "JsonFuncExpr": ("json_value", "json_query", "json_exists"),
    "JsonObjectConstructor": ("json_object",),
    "JsonArrayConstructor": ("json_array",),
    "JsonArrayQueryConstructor": ("json_array",),
    "JsonObjectAgg": ("json_objectagg",),
    "JsonArrayAgg": ("json_arrayagg",),
    "JsonTable": ("json_table",),
    "MergeSupportFunc": ("merge_action",),
    "SQLValueFunction": ("system_user", "current_schema"),
}

# Built-ins that are not immutable, yet depend on their arguments and SESSION_SETTINGS alone. Absent on
# purpose: json_populate_record and json_to_record (text 'now' becomes a date), to_tsvector and friends
# (dictionaries), enum_range (catalog), date/timestamptz/... as functions (they cast text).
STABLE_CALLS: Final = _words("""
    to_char to_date to_number to_timestamp make_timestamptz date_trunc date_part extract date_add
    date_subtract overlaps generate_series length convert_from convert_to
    concat concat_ws format quote_literal quote_nullable array_to_string array_to_json row_to_json
    to_json to_jsonb json_build_array json_build_object jsonb_build_array jsonb_build_object
    json_agg json_agg_strict jsonb_agg jsonb_agg_strict json_object_agg json_object_agg_strict
    json_object_agg_unique json_object_agg_unique_strict jsonb_object_agg jsonb_object_agg_strict
    jsonb_object_agg_unique jsonb_object_agg_unique_strict
""")

# Built-ins that convert between types of which the server already knows that no text is read
EXACT_CASTS: Final = _words("date time timestamp timestamptz interval money numeric")

# Built-ins that may answer anything, but run no code of the user and change no table.
HARMLESS_CALLS: Final = _words("""
    now clock_timestamp statement_timestamp transaction_timestamp timeofday age timezone random random_normal
    setseed gen_random_uuid uuidv4 uuidv7 array_sample array_shuffle nextval currval lastval setval
    pg_sleep pg_sleep_for pg_sleep_until pg_notify pg_listening_channels pg_backend_pid pg_blocking_pids
    pg_cancel_backend pg_terminate_backend pg_is_in_recovery pg_postmaster_start_time pg_conf_load_time
    pg_current_wal_lsn pg_last_wal_replay_lsn pg_last_wal_receive_lsn pg_last_xact_replay_timestamp
    pg_current_xact_id pg_current_xact_id_if_assigned pg_current_snapshot pg_xact_status pg_export_snapshot
    txid_current txid_current_if_assigned txid_current_snapshot txid_status
    current_setting current_schema current_schemas current_database current_user session_user system_user
    current_query getpgusername version inet_client_addr inet_client_port inet_server_addr inet_server_port
    pg_client_encoding getdatabaseencoding pg_encoding_to_char pg_char_to_encoding pg_trigger_depth
    pg_relation_size pg_table_size pg_indexes_size pg_total_relation_size pg_database_size pg_tablespace_size
    pg_column_size pg_column_compression pg_typeof pg_collation_for pg_relation_filenode pg_my_temp_schema
    pg_is_other_temp_schema row_security_active mxid_age format_type obj_description col_description
    shobj_description pg_describe_object pg_get_userbyid pg_get_constraintdef pg_get_expr pg_get_functiondef
    pg_get_function_arguments pg_get_function_identity_arguments pg_get_function_result pg_get_indexdef
    pg_get_keywords pg_get_partkeydef pg_get_ruledef pg_get_serial_sequence pg_get_statisticsobjdef
    pg_get_triggerdef pg_get_viewdef pg_has_role pg_table_is_visible pg_type_is_visible
    pg_function_is_visible pg_operator_is_visible pg_sequence_parameters pg_sequence_last_value
    pg_partition_tree pg_partition_ancestors pg_timezone_names pg_timezone_abbrevs_abbrevs
    pg_timezone_abbrevs_zone pg_show_all_settings pg_lock_status pg_prepared_statement pg_cursor
    pg_prepared_xact to_regclass to_regcollation to_regnamespace to_regoper to_regoperator to_regproc
    to_regprocedure to_regrole to_regtype regclass enum_first enum_last enum_range
    to_tsvector to_tsquery plainto_tsquery phraseto_tsquery websearch_to_tsquery json_to_tsvector
    jsonb_to_tsvector ts_headline ts_debug ts_parse ts_token_type get_current_ts_config
    jsonb_path_exists_tz jsonb_path_match_tz jsonb_path_query_tz jsonb_path_query_array_tz
    jsonb_path_query_first_tz json_populate_record json_populate_recordset json_to_record json_to_recordset
    jsonb_populate_record jsonb_populate_record_valid jsonb_populate_recordset jsonb_to_record
    jsonb_to_recordset date time timetz timestamp timestamptz money numeric xml xml_is_well_formed convert
    textanycat anytextcat lo_close lo_creat lo_create lo_from_bytea lo_get lo_lseek lo_lseek64 lo_open lo_put
    lo_tell lo_tell64 lo_truncate lo_truncate64 lo_unlink loread lowrite
""")
HARMLESS_PREFIXES: Final = ("has_", "pg_advisory_", "pg_try_advisory_", "pg_stat_get_")
STORED_PREFIXES: Final = ("has_", "pg_advisory_xact_", "pg_try_advisory_xact_", "pg_stat_get_")
"""The same of code that a text does not name: a lock that outlives the transaction must not come as a surprise."""

SESSION_CALLS: Final = frozenset({"set_config"})
"""Harmless where a text names them; stored in a view or a default they change a session that does not say so."""


def is_session_call(name: str) -> bool:
    """Whether the built-in function `name` changes something that outlives the transaction in its session."""
    locks = name.startswith(("pg_advisory_", "pg_try_advisory_")) and "_xact_" not in name
    return locks or name in SESSION_CALLS


# Reading these reads the clock when the text says so; timetz reads it always (daylight saving).
CLOCK_TYPES: Final = _words("""
    date time timestamp timestamptz tsrange tstzrange daterange tsmultirange tstzmultirange datemultirange
""")
CAST_TYPES: Final = CLOCK_TYPES | _words("""
    bool int2 int4 int8 float4 float8 numeric money text varchar bpchar char name bytea bit varbit uuid oid
    json jsonb jsonpath xml interval inet cidr macaddr macaddr8 point line lseg box path polygon circle
    tsvector tsquery int4range int8range numrange int4multirange int8multirange nummultirange pg_lsn
""")

# Types of pg_catalog that the cache does not cast to, but whose input runs none of the user's code.
OTHER_TYPES: Final = _words("""
    timetz regclass regtype regproc regprocedure regoper regoperator regrole regnamespace regconfig
    regdictionary regcollation aclitem xid xid8 cid tid txid_snapshot pg_snapshot record refcursor
    int2vector oidvector
""")

DATE_OIDS: Final = frozenset({1082, 1114, 1184})
TIME_OIDS: Final = frozenset({1083, 1183})
LANE_OIDS: Final = frozenset({20, 21, 23, 25, 1043, 2950})
"""int8, int2, int4, text, varchar, uuid: equal values look equal on the client, too."""

# `row.name` calls these on the whole row, and their answers depend on the catalog or on storage.
FIELD_CALLS: Final = _words("pg_typeof pg_column_size pg_column_compression pg_column_toast_chunk_id pg_collation_for")

SYSTEM_COLUMNS: Final = _words("ctid xmin xmax cmin cmax tableoid")
SYSTEM_SCHEMAS: Final = _words("pg_catalog information_schema pg_toast")

# `=` and friends are also called where no operator is written: ORDER BY, DISTINCT, USING, CASE.
IMPLIED_OPERATORS: Final = _words("= <> < <= > >=")

SESSION_SETTINGS: Final = (
    "role", "session_authorization", "search_path", "row_security",
    "TimeZone", "timezone_abbreviations", "DateStyle", "IntervalStyle",
    "lc_monetary", "lc_numeric", "lc_time", "extra_float_digits", "bytea_output", "xmlbinary", "xmloption",
    "array_nulls", "transform_null_equals", "quote_all_identifiers", "default_text_search_config",
    "gin_fuzzy_search_limit", "standard_conforming_strings", "client_encoding",
)  # fmt: skip
"""Settings that the answer of a `Read` may depend on: part of the cache key or fixed.

`standard_conforming_strings` must be on: otherwise the server reads the text differently than the parser.
"""
