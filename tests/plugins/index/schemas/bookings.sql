create table room(id int primary key, name text not null unique);
create table booking(id int generated always as identity primary key, room_id int not null references room on delete cascade,
  during tstzrange not null, slot int4range not null, guest text not null,
  constraint booking_never_twice exclude using gist (slot with &&));
create index booking_room on booking(room_id, guest);
create index booking_during on booking using gist(during);
insert into room select i, 'room ' || i from generate_series(1, 30) i;
insert into booking(room_id, during, slot, guest) select i % 30 + 1, tstzrange(timestamptz '2026-01-01' + i * interval '1 h',
  timestamptz '2026-01-01' + (i + 1) * interval '1 h'), int4range(i * 10, i * 10 + 9), 'g' || i % 200
  from generate_series(1, 2500) i;
-- traffic
select * from booking where during @> timestamptz '2026-01-05 12:30';
select count(*) from booking where slot && int4range(100, 200);
select * from booking where room_id = 4 and guest = 'g33';
delete from room where id = 30;
