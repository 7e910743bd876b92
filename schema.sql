-- alertd's tables. This file is the whole schema at the version named on the next line; it is
-- applied to an empty database as one transaction. Older databases go forward by `alertd/migrations/`.
-- alertd schema version: 1
--
-- House rules: times are timestamptz in UTC; logic never asks the server's clock, the daemon passes
-- `now`; every work list is claimed with SKIP LOCKED under a lease whose id fences the settling
-- update; no extension is needed. PostgreSQL 14 or later.

-- One row for each version that was ever applied.
CREATE TABLE alertd_schema (
  version     integer PRIMARY KEY,
  applied_at  timestamptz NOT NULL DEFAULT now()
);

-- Values that must outlive a restart and be equal for all daemons: JWT secret, cipher check, clocks.
CREATE TABLE alertd_values (
  name        text PRIMARY KEY,
  value       text NOT NULL,
  updated_at  timestamptz NOT NULL
);

-- ---------------------------------------------------------------------------------------------
-- Tenants and their credentials
-- ---------------------------------------------------------------------------------------------

-- A customer of the trading platform; appears by discovery or by `alertd tenants add`.
CREATE TABLE tenants (
  id          uuid PRIMARY KEY,
  name        text,
  paused      boolean NOT NULL DEFAULT false,  -- no checks and no messages
  created_at  timestamptz NOT NULL
);
-- the few that are left out
CREATE INDEX tenants_paused ON tenants (id) WHERE paused;

-- One stored exchange key, its last verdict, and when it is due: this table is the work list.
CREATE TABLE credentials (
  id                    uuid PRIMARY KEY,
  tenant_id             uuid NOT NULL REFERENCES tenants (id),
  exchange              text NOT NULL,
  credential_type       text NOT NULL CHECK (credential_type IN ('trading', 'readonly')),
  label                 text NOT NULL DEFAULT '',
  secret_version        text NOT NULL DEFAULT '',  -- the store's marker; a change starts a new streak
  phase                 double precision NOT NULL, -- in [0, 1): where in the interval this key is checked
  -- what the last checks said
  verdict               text CHECK (verdict IN ('valid', 'invalid', 'inconclusive')),
  reason                text,
  permissions           jsonb,                     -- of the last check that learned any
  warnings              text[] NOT NULL DEFAULT '{}',
  code                  text NOT NULL DEFAULT '',
  duration_ms           integer,
  consecutive_failures  integer NOT NULL DEFAULT 0,
  first_failure_at      timestamptz,
  last_success_at       timestamptz,
  last_checked_at       timestamptz,
  alerting              boolean NOT NULL DEFAULT false, -- an alert of this key is open
  notices               jsonb NOT NULL DEFAULT '{}',    -- risk and expiry states already announced
  -- the work list
  next_check_at         timestamptz NOT NULL,
  lease_id              uuid,
  lease_until           timestamptz,
  missing_since         timestamptz,               -- gone from the listing, not yet retired
  retired_at            timestamptz,               -- deleted in the store; history stays
  created_at            timestamptz NOT NULL,
  UNIQUE (tenant_id, exchange, credential_type, label)
);
-- claim what is due, of one exchange
CREATE INDEX credentials_due ON credentials (exchange, next_check_at) WHERE retired_at IS NULL;
-- list what is wrong, and one exchange's, page by page
CREATE INDEX credentials_bad ON credentials (verdict, id) WHERE retired_at IS NULL AND verdict <> 'valid';
CREATE INDEX credentials_of_exchange ON credentials (exchange, id) WHERE retired_at IS NULL;

-- One pass over the credentials: a person's, a command's, or a scheduled slot.
CREATE TABLE sweeps (
  id            uuid PRIMARY KEY,
  origin        text NOT NULL CHECK (origin IN ('schedule', 'api', 'command')),
  requested_by  text,
  tenant_id     uuid,                              -- NULL: all
  exchange      text,                              -- NULL: all
  state         text NOT NULL CHECK (state IN (
                  'running',    -- a daemon extends `lease_until`
                  'completed',  -- everything in scope was checked
                  'failed',     -- `error` says why; credentials were left alone
                  'cancelled'   -- by a person
                )),
  started_at    timestamptz NOT NULL,
  finished_at   timestamptz,
  lease_until   timestamptz,
  total         integer NOT NULL DEFAULT 0,
  checked       integer NOT NULL DEFAULT 0,
  valid         integer NOT NULL DEFAULT 0,
  invalid       integer NOT NULL DEFAULT 0,
  inconclusive  integer NOT NULL DEFAULT 0,
  skipped       integer NOT NULL DEFAULT 0,
  error         text
);
-- two sweeps never overlap; a scheduled pass that is spread over its interval is none
CREATE UNIQUE INDEX sweeps_one_running ON sweeps ((true)) WHERE state = 'running' AND origin <> 'schedule';
CREATE INDEX sweeps_recent ON sweeps (started_at DESC, id DESC);

-- Every check ever made, within retention.
CREATE TABLE credential_health_checks (
  id                    uuid PRIMARY KEY,          -- time-ordered
  credential_id         uuid NOT NULL REFERENCES credentials (id) ON DELETE CASCADE,
  tenant_id             uuid NOT NULL,
  exchange              text NOT NULL,
  credential_type       text NOT NULL,
  label                 text NOT NULL DEFAULT '',
  check_timestamp       timestamptz NOT NULL,
  is_valid              boolean NOT NULL,          -- true only for verdict 'valid'
  verdict               text NOT NULL,
  reason                text NOT NULL,
  code                  text NOT NULL DEFAULT '',  -- for operators: status and code of the exchange, no free text
  validation_error      text,                      -- our sentence
  permissions           jsonb,
  warnings              text[] NOT NULL DEFAULT '{}',
  consecutive_failures  integer NOT NULL DEFAULT 0,
  last_success_at       timestamptz,
  duration_ms           integer NOT NULL DEFAULT 0,
  sweep_id              uuid,
  webhook_sent          boolean NOT NULL DEFAULT false, -- a 2xx arrived for an event of this check
  webhook_sent_at       timestamptz,
  created_at            timestamptz NOT NULL
);
-- history of one credential, newest first
CREATE INDEX credential_health_checks_of ON credential_health_checks (credential_id, check_timestamp DESC, id DESC);
-- retention
CREATE INDEX credential_health_checks_age ON credential_health_checks (check_timestamp);

-- The request budget of each exchange, shared by all processes (GCRA: the time up to which requests are spoken for).
CREATE TABLE exchange_budgets (
  exchange          text PRIMARY KEY,
  reserved_until    timestamptz NOT NULL,
  backed_off_until  timestamptz,                   -- nobody asks this exchange before
  backed_off_reason text,
  backoffs          integer NOT NULL DEFAULT 0     -- in a row: doubles the wait
);

-- ---------------------------------------------------------------------------------------------
-- Alerts
-- ---------------------------------------------------------------------------------------------

-- One episode of one thing being wrong. Identity is tenant, check, subject and rule.
CREATE TABLE alerts (
  id                uuid PRIMARY KEY,
  fingerprint       text NOT NULL,                 -- hash of the identity; never severity, values or time
  tenant_id         uuid,                          -- NULL: the platform
  check_name        text NOT NULL,
  subject           text NOT NULL,
  rule              text NOT NULL,
  exchange          text,                          -- NULL: not about one; silences match by it
  severity          text NOT NULL CHECK (severity IN ('info', 'warning', 'critical', 'emergency')),
  state             text NOT NULL CHECK (state IN (
                      'pending',   -- seen, not often enough
                      'firing',    -- seen often enough
                      'resolved'   -- over; kept for history. fired_at NULL: it never fired
                    )),
  details           jsonb NOT NULL DEFAULT '{}',
  streak            integer NOT NULL DEFAULT 1,    -- bad findings in a row
  started_at        timestamptz NOT NULL,          -- first bad finding of this episode
  fired_at          timestamptz,
  resolved_at       timestamptz,
  last_seen_at      timestamptz NOT NULL,          -- what was found is as of then
  flapping          boolean NOT NULL DEFAULT false, -- came and went too often: over only after a calm time
  good_since        timestamptz,                   -- of a flapping one: calm since then
  announced_at      timestamptz,                   -- the last message about it; NULL: nobody was told
  told_severity     text,                          -- the severity in that message; a higher one is news
  last_event_id     text,
  held_count        integer NOT NULL DEFAULT 0,    -- messages not sent since the last one
  acked_at          timestamptz,                   -- somebody looks after it: no reminders until it is over
  acked_by          text,
  ack_comment       text,
  ack_awaited_since timestamptz,                   -- escalated a set time later; NULL: nothing to wait for
  escalated_at      timestamptz,                   -- once in an episode
  operators_due     timestamptz,                   -- operators have not been told how it stands since then
  operators_told_at timestamptz,                   -- the last message to operators about a tenant's alert
  created_at        timestamptz NOT NULL
);
-- one open episode for each identity
CREATE UNIQUE INDEX alerts_open ON alerts (fingerprint) WHERE state <> 'resolved';
-- earlier episodes of an identity, newest first
CREATE INDEX alerts_episodes ON alerts (fingerprint, started_at DESC);
-- what fires, of one tenant
CREATE INDEX alerts_firing ON alerts (tenant_id) WHERE state = 'firing';
-- what nobody acknowledged, and what operators are to be told
CREATE INDEX alerts_awaiting ON alerts (ack_awaited_since) WHERE ack_awaited_since IS NOT NULL;
CREATE INDEX alerts_operators ON alerts (operators_due) WHERE operators_due IS NOT NULL;
-- lists, newest first
CREATE INDEX alerts_recent ON alerts (started_at DESC, id DESC);

-- Why somebody was told of an alert, or was not: one row for each decision, in order.
CREATE TABLE alert_log (
  id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  alert_id     uuid NOT NULL REFERENCES alerts (id) ON DELETE CASCADE,
  at           timestamptz NOT NULL,
  decision     text NOT NULL CHECK (decision IN (
                 'pending',   -- seen, not often enough to fire
                 'fired',     -- the episode fires
                 'raised',    -- the severity is higher than what was told
                 'unheard',   -- the last message reached nobody, so another is due
                 'reminded',  -- a reminder is due
                 'flapping',  -- it came and went too often
                 'muted',     -- the settings say to tell nobody
                 'silenced',  -- not told, because of silence_id
                 'inhibited', -- not told, because of the alert in cause_id
                 'repeated',  -- not told: unchanged, and told of a short time before
                 'sent',      -- queued for delivery_id
                 'put_off',   -- queued for delivery_id, at the end of its window
                 'held',      -- delivery_id waits for a person
                 'parked',    -- delivery_id waits for its endpoint
                 'unwanted',  -- no endpoint listens to it
                 'acked',     -- by a person
                 'escalated', -- nobody acknowledged it in time
                 'subsided',  -- over before it fired
                 'resolved'   -- the episode is over
               )),
  repeats      integer NOT NULL DEFAULT 1,         -- the same decision, in a row
  last_at      timestamptz NOT NULL,
  actor        text,
  comment      text,
  silence_id   uuid,
  cause_id     uuid,                               -- another alert
  event_id     text,
  delivery_id  uuid,
  webhook_id   uuid
);
CREATE INDEX alert_log_of ON alert_log (alert_id, id);

-- What people do not want to be told of for a time. Rows are not deleted: they end.
CREATE TABLE silences (
  id          uuid PRIMARY KEY,                    -- time-ordered
  matchers    jsonb NOT NULL,                      -- label: values, any of which fits; all labels must
  comment     text NOT NULL CHECK (comment <> ''),
  created_by  text NOT NULL,                       -- from the key
  created_at  timestamptz NOT NULL,
  starts_at   timestamptz NOT NULL,
  ends_at     timestamptz NOT NULL,
  expired_at  timestamptz,                         -- ended early
  expired_by  text,
  CHECK (starts_at < ends_at)
);
CREATE INDEX silences_end ON silences (ends_at) WHERE expired_at IS NULL;

-- When a scheduled thing was due, and who ran it. The unique row makes each occurrence run once.
CREATE TABLE occurrences (
  id             uuid PRIMARY KEY,
  execution_id   text NOT NULL UNIQUE,             -- {name}_{YYYYMMDD}_{HHMMSS}
  schedule       text NOT NULL,
  scheduled_at   timestamptz NOT NULL,
  source         text NOT NULL CHECK (source IN ('schedule', 'catch_up', 'manual')),
  requested_by   text,
  state          text NOT NULL CHECK (state IN (
                   'running',      -- owner extends lease_until
                   'succeeded',
                   'failed',
                   'missed',       -- too late to run
                   'interrupted'   -- its owner died, and so did those who took it over
                 )),
  owner          uuid,
  lease_until    timestamptz,
  attempt_count  integer NOT NULL DEFAULT 0,
  missed_count   integer NOT NULL DEFAULT 0,       -- in a 'missed' row: how many it stands for
  started_at     timestamptz,
  finished_at    timestamptz,
  error          text,
  result         jsonb
);
-- once, over any number of processes; manual runs may repeat
CREATE UNIQUE INDEX occurrences_once ON occurrences (schedule, scheduled_at) WHERE source <> 'manual';
CREATE INDEX occurrences_recent ON occurrences (schedule, scheduled_at DESC);

-- What people switched; a schedule without a row is enabled since `created_at` of the database.
CREATE TABLE schedules (
  name        text PRIMARY KEY,
  enabled     boolean NOT NULL,
  changed_at  timestamptz NOT NULL,                -- no catch-up reaches further back
  changed_by  text
);

-- ---------------------------------------------------------------------------------------------
-- Performance
-- ---------------------------------------------------------------------------------------------

-- An account or a strategy of a tenant, and when its days begin. Everything below hangs on it.
CREATE TABLE performance_subjects (
  id             uuid PRIMARY KEY,                 -- time-ordered
  tenant_id      uuid NOT NULL REFERENCES tenants (id),
  kind           text NOT NULL CHECK (kind IN ('account', 'strategy')),
  name           text NOT NULL,
  currency       text,                             -- of equity and flows; NULL: no equity yet
  timezone       text NOT NULL DEFAULT 'UTC',
  cutoff         time NOT NULL DEFAULT '00:00',    -- of that zone's clock, where a day begins
  returns_from   text CHECK (returns_from IN (     -- NULL: no returns yet
                   'pushed',                       -- the platform says them
                   'equity'                        -- they follow from equity and flows
                 )),
  equity_every   interval,                         -- how often a reading should come; NULL: there are none
  counts_from    timestamptz,                      -- limits forget what was before; NULL: nothing
  credential_id  uuid REFERENCES credentials (id) ON DELETE SET NULL, -- of an account, whose key reads it
  derived_until  date,                             -- days up to this one were derived from equity
  read_due_at    timestamptz,                      -- when its exchange is asked for its equity; NULL: never
  revisions      integer NOT NULL DEFAULT 0,       -- of days that a check may have seen: fences what it remembers
  created_at     timestamptz NOT NULL,
  UNIQUE (tenant_id, name)
);
-- the account that a key reads
CREATE UNIQUE INDEX performance_subjects_read ON performance_subjects (credential_id) WHERE credential_id IS NOT NULL;
-- accounts whose exchange is to be asked
CREATE INDEX performance_subjects_due ON performance_subjects (read_due_at) WHERE read_due_at IS NOT NULL;

-- What a day earned, as a fraction, flows taken out; live, never a backtest.
CREATE TABLE performance_returns (
  subject_id   uuid NOT NULL REFERENCES performance_subjects (id) ON DELETE CASCADE,
  day          date NOT NULL,                      -- the local date on which it began
  value        double precision NOT NULL,
  span_days    integer NOT NULL DEFAULT 1,         -- days since the one before that has a value
  confidence   text NOT NULL DEFAULT 'full' CHECK (confidence IN (
                 'full',
                 'low'                             -- shown, and used by no test
               )),
  revision     integer NOT NULL DEFAULT 1,         -- how many values this day has had
  received_at  timestamptz NOT NULL,
  PRIMARY KEY (subject_id, day)
);

-- The whole account in its currency at an instant, unrealised profit included.
CREATE TABLE performance_equity (
  subject_id   uuid NOT NULL REFERENCES performance_subjects (id) ON DELETE CASCADE,
  at           timestamptz NOT NULL,
  equity       double precision NOT NULL,
  quality      text NOT NULL CHECK (quality IN (
                 'ok',
                 'partial',                        -- something in it could not be valued; never used
                 'suspect'                         -- it jumped, and nothing explains or confirms it; never used
               )),
  source       text NOT NULL CHECK (source IN ('pushed', 'exchange')),
  remark       text,                               -- what could not be valued; our sentence
  revision     integer NOT NULL DEFAULT 1,
  received_at  timestamptz NOT NULL,
  PRIMARY KEY (subject_id, at)
);

-- Money from outside (positive) or to it (negative), in the account's currency.
CREATE TABLE performance_flows (
  subject_id   uuid NOT NULL REFERENCES performance_subjects (id) ON DELETE CASCADE,
  flow_id      text NOT NULL,                      -- the sender's
  at           timestamptz NOT NULL,
  amount       double precision NOT NULL,          -- 0: it did not happen after all
  revision     integer NOT NULL DEFAULT 1,
  received_at  timestamptz NOT NULL,
  PRIMARY KEY (subject_id, flow_id)
);
-- between two readings
CREATE INDEX performance_flows_at ON performance_flows (subject_id, at);

-- Walk-forward windows that the platform ran: mean daily returns in and out of sample.
CREATE TABLE performance_windows (
  subject_id     uuid NOT NULL REFERENCES performance_subjects (id) ON DELETE CASCADE,
  first_day      date NOT NULL,                    -- of the out-of-sample part
  last_day       date NOT NULL,
  in_sample      double precision NOT NULL,
  out_of_sample  double precision NOT NULL,
  revision       integer NOT NULL DEFAULT 1,
  received_at    timestamptz NOT NULL,
  PRIMARY KEY (subject_id, first_day)
);

-- What a row above said before it was replaced.
CREATE TABLE performance_revisions (
  id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  subject_id   uuid NOT NULL REFERENCES performance_subjects (id) ON DELETE CASCADE,
  kind         text NOT NULL CHECK (kind IN ('return', 'equity', 'flow', 'window')),
  key          text NOT NULL,                      -- its day, instant or flow_id
  revision     integer NOT NULL,
  earlier      jsonb NOT NULL,
  replaced_at  timestamptz NOT NULL,
  replaced_by  text NOT NULL                       -- who sent the new one; 'alertd': it follows from other rows
);
CREATE INDEX performance_revisions_of ON performance_revisions (subject_id, id DESC);
CREATE INDEX performance_revisions_age ON performance_revisions (replaced_at);

-- What a subject is held against. Immutable: a new backtest is a new version, and the highest version counts.
CREATE TABLE performance_references (
  subject_id    uuid NOT NULL REFERENCES performance_subjects (id) ON DELETE CASCADE,
  version       integer NOT NULL,
  kind          text NOT NULL CHECK (kind IN (
                  'backtest',  -- daily returns are known
                  'summary',   -- only their moments
                  'self'       -- the subject's own first days
                )),
  active_from   date NOT NULL,                     -- its first live day
  baseline      jsonb NOT NULL,                    -- as measured once: moments, dependence, trials
  returns       double precision[],                -- daily log returns
  digest        text NOT NULL,                     -- of what was sent: the same again changes nothing
  registration  jsonb NOT NULL,                    -- what could be said of it before anything was live
  created_at    timestamptz NOT NULL,
  created_by    text NOT NULL,
  PRIMARY KEY (subject_id, version)
);

-- The limits that were agreed; percent. NULL: as the settings have it.
CREATE TABLE performance_limits (
  subject_id           uuid PRIMARY KEY REFERENCES performance_subjects (id) ON DELETE CASCADE,
  mode                 text NOT NULL CHECK (mode IN ('static', 'trailing', 'end_of_day')),
  basis                text NOT NULL CHECK (basis IN ('day_start', 'initial')),
  initial_capital      double precision,
  drawdown_warning     double precision,
  drawdown_critical    double precision,
  daily_loss_warning   double precision,
  daily_loss_critical  double precision,
  updated_at           timestamptz NOT NULL,
  updated_by           text NOT NULL
);

-- The daily check's memory of a subject: what its live days have come to under one version of its reference.
CREATE TABLE performance_tracks (
  subject_id         uuid PRIMARY KEY REFERENCES performance_subjects (id) ON DELETE CASCADE,
  reference_version  integer NOT NULL,
  track              jsonb,                        -- NULL: a day was revised, replay from the first live day
  accepted_on        date,                         -- a person accepted the drift up to this day
  updated_at         timestamptz NOT NULL
);

-- What was projected at a month's beginning, with its cone. The latest one counts.
CREATE TABLE performance_projections (
  subject_id  uuid NOT NULL REFERENCES performance_subjects (id) ON DELETE CASCADE,
  made_on     date NOT NULL,
  projection  jsonb NOT NULL,
  made_at     timestamptz NOT NULL,
  PRIMARY KEY (subject_id, made_on)
);

-- What a check said about a subject, one row for each run; the newest of a check is how the subject stands.
CREATE TABLE performance_evaluations (
  subject_id    uuid NOT NULL REFERENCES performance_subjects (id) ON DELETE CASCADE,
  check_name    text NOT NULL,
  as_of         timestamptz NOT NULL,              -- the time that was evaluated, not that of evaluating
  status        text NOT NULL,                     -- the worst of the findings
  findings      jsonb NOT NULL,                    -- one for each rule
  evaluated_at  timestamptz NOT NULL,
  PRIMARY KEY (subject_id, check_name, as_of)
);
CREATE INDEX performance_evaluations_age ON performance_evaluations (as_of);

-- ---------------------------------------------------------------------------------------------
-- Events and their delivery
-- ---------------------------------------------------------------------------------------------

-- What was announced, as the bytes that are signed and sent. The id is the `webhook-id`.
CREATE TABLE events (
  id           text PRIMARY KEY,
  type         text NOT NULL,
  tenant_id    uuid,                               -- NULL: operators
  subject      text NOT NULL,                      -- messages of one subject are delivered in order
  body         bytea NOT NULL,
  check_id     uuid,                               -- the history row that caused it
  alert_id     uuid,
  created_at   timestamptz NOT NULL,
  recipients   integer NOT NULL DEFAULT 0,         -- deliveries made for it; 0: nobody listened
  accepted_at  timestamptz                         -- first 2xx
);
CREATE INDEX events_age ON events (created_at);
CREATE INDEX events_of_tenant ON events (tenant_id, created_at DESC);
-- the newest of a subject, which retention keeps
CREATE INDEX events_subject ON events (subject, created_at);

-- A receiver: address, secret, circuit breaker, and the lease that keeps one receiver from crowding out another.
-- Tenants' endpoints, and (tenant_id NULL, channel not 'webhook') the operators' notifiers of the settings.
CREATE TABLE tenant_webhooks (
  id                    uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  tenant_id             uuid REFERENCES tenants (id),
  channel               text NOT NULL DEFAULT 'webhook', -- a name in webhooks/channels
  event_type            text NOT NULL DEFAULT '*', -- one type, or '*' for all
  event_types           text[] NOT NULL DEFAULT '{}', -- further types
  webhook_url           text NOT NULL,             -- of a notifier: its name in the settings
  webhook_secret        text NOT NULL,             -- sealed; a plain one is sealed when first read
  next_secret           text,                      -- sealed; set while a rotation is under way
  rotation_ends_at      timestamptz,               -- the rotation commits itself then
  headers               text,                      -- sealed JSON object of the tenant's own headers
  description           text NOT NULL DEFAULT '',
  is_active             boolean NOT NULL DEFAULT true,
  disabled_reason       text,                      -- 'gone' (410), 'person'
  min_severity          text CHECK (min_severity IN ('info', 'warning', 'critical', 'emergency')), -- NULL: of all
  escalation            boolean NOT NULL DEFAULT false, -- a notifier that gets what nobody acknowledged
  created_at            timestamptz NOT NULL DEFAULT now(),
  -- circuit breaker
  circuit               text NOT NULL DEFAULT 'closed' CHECK (circuit IN (
                          'closed',
                          'open',       -- deliveries are parked until circuit_until
                          'half_open'   -- one probe is under way
                        )),
  consecutive_failures  integer NOT NULL DEFAULT 0, -- deliveries that failed for good, in a row
  circuit_until         timestamptz,
  cooldown_seconds      integer NOT NULL DEFAULT 0,
  -- the lease
  next_due_at           timestamptz,               -- its earliest due delivery; NULL: none
  lease_id              uuid,
  lease_until           timestamptz
);
CREATE INDEX tenant_webhooks_of ON tenant_webhooks (tenant_id);
-- endpoints with something due
CREATE INDEX tenant_webhooks_due ON tenant_webhooks (next_due_at) WHERE next_due_at IS NOT NULL;
-- endpoints in trouble
CREATE INDEX tenant_webhooks_circuit ON tenant_webhooks (id) WHERE circuit <> 'closed';

-- One event on its way to one receiver. The finished rows are the delivery log.
CREATE TABLE webhook_deliveries (
  id               uuid PRIMARY KEY,
  event_id         text NOT NULL REFERENCES events (id) ON DELETE CASCADE,
  webhook_id       uuid NOT NULL REFERENCES tenant_webhooks (id) ON DELETE CASCADE,
  tenant_id        uuid,
  event_type       text NOT NULL,
  subject          text NOT NULL,
  source           text NOT NULL DEFAULT 'event' CHECK (source IN ('event', 'test', 'replay', 'catch_up')),
  state            text NOT NULL CHECK (state IN (
                     'pending',     -- due at next_attempt_at
                     'delivered',   -- a 2xx
                     'failed',      -- given up; may be replayed
                     'held',        -- a person must release it
                     'parked',      -- the circuit is open, or the endpoint is switched off
                     'superseded'   -- a newer message of the same subject and type went instead
                   )),
  attempts         integer NOT NULL DEFAULT 0,     -- of the present round; a replay starts at 0 again
  next_attempt_at  timestamptz,
  superseded_by    uuid,
  left_out         integer NOT NULL DEFAULT 0,     -- older messages that this one stands for
  created_at       timestamptz NOT NULL,
  finished_at      timestamptz
);
-- claim what is due, of one endpoint
CREATE INDEX webhook_deliveries_due ON webhook_deliveries (webhook_id, next_attempt_at) WHERE state = 'pending';
-- order within a subject
CREATE INDEX webhook_deliveries_open ON webhook_deliveries (webhook_id, subject, created_at)
  WHERE state IN ('pending', 'held', 'parked');
CREATE INDEX webhook_deliveries_event ON webhook_deliveries (event_id);
-- lists, newest first: everybody's, what was given up, and one tenant's
CREATE INDEX webhook_deliveries_recent ON webhook_deliveries (created_at DESC, id DESC);
CREATE INDEX webhook_deliveries_failed ON webhook_deliveries (created_at DESC, id DESC) WHERE state = 'failed';
CREATE INDEX webhook_deliveries_of_tenant ON webhook_deliveries (tenant_id, created_at DESC, id DESC);
-- the newest of a subject, which retention keeps
CREATE INDEX webhook_deliveries_subject ON webhook_deliveries (webhook_id, subject, created_at);

-- One row for each attempt, written before the POST and closed after it.
CREATE TABLE webhook_delivery_log (
  id           uuid PRIMARY KEY,                   -- time-ordered
  delivery_id  uuid NOT NULL REFERENCES webhook_deliveries (id) ON DELETE CASCADE,
  webhook_id   uuid NOT NULL,
  tenant_id    uuid,
  event_type   text NOT NULL,
  attempt      integer NOT NULL,
  lease_id     uuid NOT NULL,
  started_at   timestamptz NOT NULL,
  finished_at  timestamptz,                        -- NULL: under way, or its process died
  outcome      text CHECK (outcome IN ('success', 'failure', 'timeout', 'unknown')),
  status_code  integer,
  error        text,                               -- closed set: dns, connect, tls, timeout, reset, refused_address, ...
  address      text,                               -- the numeric address that was connected
  duration_ms  integer,
  response     text                                -- at most 4 KiB
);
CREATE INDEX webhook_delivery_log_of ON webhook_delivery_log (delivery_id, started_at);
CREATE INDEX webhook_delivery_log_age ON webhook_delivery_log (started_at);
-- attempts that a dead process left behind
CREATE INDEX webhook_delivery_log_open ON webhook_delivery_log (webhook_id) WHERE finished_at IS NULL;

-- At most one message of a type for each credential and window.
CREATE TABLE webhook_windows (
  subject     text NOT NULL,
  event_type  text NOT NULL,
  open_until  timestamptz NOT NULL,
  suppressed  integer NOT NULL DEFAULT 0,          -- messages that were put off in this window
  PRIMARY KEY (subject, event_type)
);

-- What people and the daemon did: who, what, before, after. Append-only.
CREATE TABLE audit_log (
  id          uuid PRIMARY KEY,
  at          timestamptz NOT NULL,
  actor       text NOT NULL,
  action      text NOT NULL,
  tenant_id   uuid,
  object      text NOT NULL,
  before      jsonb,
  after       jsonb,
  peer        text,
  request_id  text
);
CREATE INDEX audit_log_recent ON audit_log (at DESC);
-- what happened to one thing
CREATE INDEX audit_log_of ON audit_log (object, at DESC);

-- ---------------------------------------------------------------------------------------------
-- The admin port
-- ---------------------------------------------------------------------------------------------

-- Who may use the admin port, besides the keys of the settings. The key itself is shown once and kept nowhere.
CREATE TABLE api_keys (
  id            uuid PRIMARY KEY,                  -- time-ordered
  lookup        text NOT NULL UNIQUE,              -- the public part of the key, by which it is found
  digest        bytea NOT NULL,                    -- HMAC-SHA256 of the key under a secret in alertd_values
  role          text NOT NULL CHECK (role IN ('viewer', 'operator', 'admin', 'tenant')),
  name          text NOT NULL,
  tenant_id     uuid REFERENCES tenants (id) ON DELETE CASCADE,
  created_by    text NOT NULL,
  created_at    timestamptz NOT NULL,
  expires_at    timestamptz,
  last_used_at  timestamptz,                       -- to the minute
  revoked_at    timestamptz,                       -- its tokens die with it; the row stays for the audit log
  revoked_by    text,
  CHECK ((role = 'tenant') = (tenant_id IS NOT NULL))
);
CREATE INDEX api_keys_of_tenant ON api_keys (tenant_id) WHERE tenant_id IS NOT NULL;

-- What a request with an `Idempotency-Key` was answered, for a day, so that its repetition changes nothing.
CREATE TABLE idempotency_keys (
  principal    text NOT NULL,                      -- whose key of the admin port
  route        text NOT NULL,
  key          text NOT NULL,                      -- what the client sent
  fingerprint  text NOT NULL,                      -- hash of address and body
  claim_id     uuid NOT NULL,                      -- fences the settling update
  lease_until  timestamptz NOT NULL,               -- who has not answered by then has died
  done         boolean NOT NULL DEFAULT false,     -- set in the transaction of the deed: never carry it out again
  answer       text,                               -- sealed, it may hold a new secret; NULL: under way, or lost
  created_at   timestamptz NOT NULL,
  PRIMARY KEY (principal, route, key)
);
CREATE INDEX idempotency_keys_age ON idempotency_keys (created_at);
-- which request is settled
CREATE UNIQUE INDEX idempotency_keys_claim ON idempotency_keys (claim_id);
