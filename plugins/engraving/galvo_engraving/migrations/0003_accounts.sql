-- Generated users have no password, and cannot sign in.
alter table engraving.user_account
    add password text,                                           -- scrypt, see accounts/passwords.py
    add role text not null default 'customer' check (role in ('customer', 'staff'));

create table engraving.access_token (
    digest     bytea primary key,                                -- SHA-256: who reads the table cannot sign in
    user_id    integer not null references engraving.user_account on delete cascade,
    created_at timestamptz not null default now(),
    expires_at timestamptz not null
);
create index access_token_user on engraving.access_token (user_id);
create index access_token_expires on engraving.access_token (expires_at);
