WITH candidates AS (
    SELECT c.oid, c.relname::text AS name, n.nspname, c.relkind, c.relpersistence, c.relam, c.relrowsecurity,
        c.relforcerowsecurity
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = $1 OR c.relname IN ('store', 'users', 'devices', 'log_start', 'events', 'requests', 'audit_head')
), ours AS (SELECT * FROM candidates WHERE nspname = $1),
tables AS (SELECT * FROM ours WHERE relkind = 'r')
-- Every column, with what a statement does not see: values that the server makes, and how texts are compared.
SELECT 'part', t.name || '.' || a.attname || line.text
    FROM tables t JOIN pg_catalog.pg_attribute a ON a.attrelid = t.oid, LATERAL unnest(ARRAY[
        ' ' || format_type(a.atttypid, a.atttypmod) || CASE WHEN a.attnotnull THEN ' NOT NULL' ELSE '' END,
        CASE WHEN a.attidentity <> '' THEN ' IDENTITY ' || a.attidentity::text END,
        CASE WHEN a.attcollation NOT IN (0, 'pg_catalog.default'::regcollation)
            THEN ' COLLATE ' || a.attcollation::regcollation::text END]) AS line(text)
    WHERE a.attnum > 0 AND NOT a.attisdropped AND line.text IS NOT NULL
UNION ALL SELECT 'part', t.name || '.' || a.attname || CASE WHEN a.attgenerated = '' THEN ' DEFAULT ' ELSE ' GENERATED ' END
        || pg_get_expr(d.adbin, d.adrelid)
    FROM tables t JOIN pg_catalog.pg_attrdef d ON d.adrelid = t.oid
        JOIN pg_catalog.pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum
-- Every constraint, and those of other tables that refer to ours.
UNION ALL SELECT CASE WHEN t.oid IS NULL THEN 'foreign' ELSE 'part' END,
        CASE WHEN t.oid IS NULL THEN 'constraint ' || k.conname
            ELSE t.name || '.' || k.conname || ' ' || pg_get_constraintdef(k.oid) END
    FROM pg_catalog.pg_constraint k LEFT JOIN tables t ON t.oid = k.conrelid
    WHERE k.contype <> 'n' AND (t.oid IS NOT NULL OR k.confrelid IN (SELECT oid FROM tables))
-- Every index that makes no primary key, and what no definition of an index shows.
UNION ALL SELECT line.kind, line.text
    FROM pg_catalog.pg_index x JOIN tables t ON t.oid = x.indrelid JOIN pg_catalog.pg_class i ON i.oid = x.indexrelid,
        LATERAL (VALUES
        ('part', NOT x.indisprimary, t.name || '.' || i.relname || ' ' || pg_get_indexdef(i.oid, 0, true)),
        ('changed', NOT (x.indisvalid AND x.indisready AND x.indislive AND x.indimmediate),
            'the index ' || i.relname || ' is not kept up to date')) AS line(kind, counts, text)
    WHERE line.counts
-- What no definition of a table shows.
UNION ALL SELECT 'changed', 'the table ' || name || CASE WHEN relpersistence <> 'p' THEN ' loses its rows in a crash'
        WHEN relrowsecurity OR relforcerowsecurity THEN ' hides rows by row security' ELSE ' is stored in another way' END
    FROM tables WHERE relpersistence <> 'p' OR relrowsecurity OR relforcerowsecurity
        OR relam NOT IN (SELECT oid FROM pg_catalog.pg_am WHERE amname IN ('heap', 'tde_heap', 'tde_heap_basic'))
UNION ALL SELECT 'changed', 'the table ' || t.name || ' shares rows with another table'
    FROM pg_catalog.pg_inherits h JOIN tables t ON t.oid IN (h.inhparent, h.inhrelid)
-- What acts on our tables beside our statements, or takes their place.
UNION ALL SELECT CASE WHEN g.tgisinternal THEN 'changed' ELSE 'foreign' END, CASE WHEN g.tgisinternal
        THEN 'a constraint of the table ' || t.name || ' is switched off' ELSE 'trigger ' || g.tgname END
    FROM pg_catalog.pg_trigger g JOIN ours t ON t.oid = g.tgrelid WHERE NOT g.tgisinternal OR g.tgenabled <> 'O'
UNION ALL SELECT 'foreign', 'rule ' || r.rulename FROM pg_catalog.pg_rewrite r JOIN tables t ON t.oid = r.ev_class
UNION ALL SELECT 'foreign', 'policy ' || p.polname FROM pg_catalog.pg_policy p JOIN tables t ON t.oid = p.polrelid
UNION ALL SELECT 'foreign', 'relation ' || CASE WHEN nspname = $1 THEN name ELSE 'pg_catalog.' || name END
    FROM candidates WHERE (nspname = $1 AND relkind NOT IN ('r', 'i', 'S')) OR nspname = 'pg_catalog'
-- A store in another schema of the database, and the schema as definitions name it.
UNION ALL SELECT 'elsewhere', c.nspname::text FROM candidates c WHERE c.name = 'store' AND c.relkind = 'r'
    AND c.nspname <> $1 AND c.nspname !~ '^pg_' AND EXISTS (SELECT FROM pg_catalog.pg_attribute a
        WHERE a.attrelid = c.oid AND a.attname = 'schema_version')
UNION ALL SELECT 'schema', quote_ident($1) WHERE to_regnamespace(quote_ident($1)) IS NOT NULL
