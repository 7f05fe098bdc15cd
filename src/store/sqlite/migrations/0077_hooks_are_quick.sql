-- What is counted and forgotten of webhooks' messages is a few of them.
create index hook_messages_dead on hook_messages (hook_id) where state = 'dead';
create index hook_messages_ended on hook_messages (ended_at) where state in ('sent', 'dropped');
