WITH ours AS (
    SELECT c.oid, c.relname::text AS name, c.relkind, c.relpersistence, c.relam, c.relrowsecurity, c.relforcerowsecurity
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1
), tables AS (SELECT * FROM ours WHERE relkind = 'r'),
prefix AS (SELECT quote_ident($1) || '.' AS text)
-- Every column, with what a statement does not see: values that the server makes, and how texts are compared.
SELECT 'part', t.name || '.' || a.attname || ' ' || format_type(a.atttypid, a.atttypmod)
        || CASE WHEN a.attnotnull THEN ' NOT NULL' ELSE '' END
    FROM tables t JOIN pg_catalog.pg_attribute a ON a.attrelid = t.oid WHERE a.attnum > 0 AND NOT a.attisdropped
UNION ALL SELECT 'part', t.name || '.' || a.attname || ' IDENTITY ' || a.attidentity::text
    FROM tables t JOIN pg_catalog.pg_attribute a ON a.attrelid = t.oid WHERE a.attnum > 0 AND a.attidentity <> ''
UNION ALL SELECT 'part', t.name || '.' || a.attname || CASE WHEN a.attgenerated = '' THEN ' DEFAULT ' ELSE ' GENERATED ' END
        || replace(pg_get_expr(d.adbin, d.adrelid), prefix.text, '')
    FROM tables t JOIN pg_catalog.pg_attribute a ON a.attrelid = t.oid
        JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum, prefix
UNION ALL SELECT 'part', t.name || '.' || a.attname || ' COLLATE ' || n.nspname || '.' || l.collname
    FROM tables t JOIN pg_catalog.pg_attribute a ON a.attrelid = t.oid JOIN pg_catalog.pg_collation l ON l.oid = a.attcollation
        JOIN pg_catalog.pg_namespace n ON n.oid = l.collnamespace WHERE a.attnum > 0 AND l.collname <> 'default'
-- Every constraint and every index that makes no constraint.
UNION ALL SELECT 'part', t.name || '.' || k.conname || ' ' || replace(pg_get_constraintdef(k.oid), prefix.text, '')
    FROM pg_catalog.pg_constraint k JOIN tables t ON t.oid = k.conrelid, prefix WHERE k.contype <> 'n'
UNION ALL SELECT 'part', t.name || '.' || i.relname || ' ' || replace(pg_get_indexdef(i.oid, 0, true), prefix.text, '')
    FROM pg_catalog.pg_index x JOIN tables t ON t.oid = x.indrelid JOIN pg_catalog.pg_class i ON i.oid = x.indexrelid, prefix
    WHERE NOT x.indisprimary
-- What no definition shows.
UNION ALL SELECT 'changed', 'the index ' || i.relname || ' is not kept up to date'
    FROM pg_catalog.pg_index x JOIN tables t ON t.oid = x.indrelid JOIN pg_catalog.pg_class i ON i.oid = x.indexrelid
    WHERE NOT (x.indisvalid AND x.indisready AND x.indislive AND x.indimmediate)
UNION ALL SELECT 'changed', 'the table ' || t.name || ' loses its rows in a crash' FROM tables t WHERE t.relpersistence <> 'p'
UNION ALL SELECT 'changed', 'the table ' || t.name || ' hides rows by row security'
    FROM tables t WHERE t.relrowsecurity OR t.relforcerowsecurity
UNION ALL SELECT 'changed', 'the table ' || t.name || ' shares rows with another table' FROM tables t
    WHERE EXISTS (SELECT FROM pg_catalog.pg_inherits h WHERE h.inhparent = t.oid OR h.inhrelid = t.oid)
UNION ALL SELECT 'changed', 'the table ' || t.name || ' is stored by ' || m.amname
    FROM tables t JOIN pg_catalog.pg_am m ON m.oid = t.relam WHERE m.amname NOT IN ('heap', 'tde_heap', 'tde_heap_basic')
UNION ALL SELECT 'changed', 'a constraint of the table ' || t.name || ' is switched off'
    FROM tables t JOIN pg_catalog.pg_trigger g ON g.tgrelid = t.oid WHERE g.tgisinternal AND g.tgenabled <> 'O'
-- Foreign objects that could change what our tables store, or take their place.
UNION ALL SELECT 'foreign', 'relation ' || name FROM ours WHERE relkind NOT IN ('r', 'i', 'S')
UNION ALL SELECT 'foreign', 'trigger ' || g.tgname FROM pg_catalog.pg_trigger g JOIN ours t ON t.oid = g.tgrelid WHERE NOT g.tgisinternal
UNION ALL SELECT 'foreign', 'rule ' || r.rulename FROM pg_catalog.pg_rewrite r JOIN tables t ON t.oid = r.ev_class
UNION ALL SELECT 'foreign', 'policy ' || p.polname FROM pg_catalog.pg_policy p JOIN tables t ON t.oid = p.polrelid
UNION ALL SELECT 'foreign', 'constraint ' || k.conname FROM pg_catalog.pg_constraint k JOIN tables t ON t.oid = k.confrelid
    WHERE k.conrelid NOT IN (SELECT oid FROM tables)
UNION ALL SELECT 'foreign', 'relation pg_catalog.' || c.relname FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = 'pg_catalog' AND c.relname IN (SELECT t.name FROM tables t)
-- A store in another schema of the database.
UNION ALL SELECT 'elsewhere', n.nspname::text FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid
    WHERE c.relname = 'store' AND c.relkind = 'r' AND a.attname = 'schema_version' AND n.nspname <> $1
UNION ALL SELECT 'schema', n.nspname::text FROM pg_catalog.pg_namespace n WHERE n.nspname = $1
