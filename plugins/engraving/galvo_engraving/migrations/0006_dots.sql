-- The dots of engraved pictures, for as long as `image_ttl` says: workers make them, every process of the application
-- shows them. The cache keeps the rows that are asked for.
create table engraving.dots (
    key      text primary key,                                   -- contents and settings, see jobs/wanted.py
    digest   text not null,                                      -- of the contents, as in engraving.image
    width    integer not null check (width > 0),                 -- dots
    height   integer not null check (height > 0),
    burned   integer not null check (burned >= 0),               -- of them
    png      bytea not null,                                     -- one bit a dot, black is burned
    made_at  timestamptz not null
);
alter table engraving.dots alter png set storage external;      -- compressed already
create index dots_made on engraving.dots (made_at);
create index dots_digest on engraving.dots (digest);
create index image_digest on engraving.image (digest);
