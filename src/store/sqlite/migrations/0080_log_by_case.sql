-- The log's entries about one case, for packages that prove what was decided and done.
create index log_by_case on log (json_extract(body, '$.record.case'))
where kind in ('decision', 'undo', 'action', 'retry', 'registration', 'police');
