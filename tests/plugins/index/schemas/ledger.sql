create table currency(code char(3) primary key);
create table account(bank int not null, number bigint not null, currency char(3) not null references currency,
  opened date not null, primary key (bank, number));
create index account_currency on account(currency);
create table entry(id bigint generated always as identity primary key, bank int not null, number bigint not null,
  amount numeric(14, 2) not null, booked date not null,
  foreign key (bank, number) references account(bank, number) deferrable initially deferred);
create index entry_account on entry(number, bank, booked);
create index entry_booked on entry(booked) include (amount);
create table transfer(from_entry bigint not null unique references entry, to_entry bigint not null unique references entry,
  check (from_entry <> to_entry));
alter table transfer replica identity using index transfer_from_entry_key;
insert into currency values ('EUR'), ('USD'), ('CHF');
insert into account select b, n, (array['EUR', 'USD', 'CHF'])[n % 3 + 1], '2020-01-01' from generate_series(1, 5) b,
  generate_series(1, 200) n;
insert into entry(bank, number, amount, booked) select i % 5 + 1, i % 200 + 1, i, date '2026-01-01' + i % 90
  from generate_series(1, 6000) i;
insert into transfer select i, i + 1 from generate_series(1, 2000, 2) i;
-- traffic
select sum(amount) from entry where bank = 1 and number = 11 and booked >= '2026-02-01';
select booked, sum(amount) from entry where booked between '2026-02-01' and '2026-02-03' group by booked;
select * from account where currency = 'CHF' limit 3;
select * from transfer where to_entry = 10;
delete from transfer where from_entry < 20;
insert into account values (9, 9, 'EUR', '2020-01-01');
delete from account where bank = 9;
