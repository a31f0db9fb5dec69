create schema "Läden & Märkte";
create table "Läden & Märkte"."Größe"("Nr." int primary key, "Straße" text not null, "select" int not null);
create index "Größe nach Straße" on "Läden & Märkte"."Größe"("Straße", "Nr.");
create table "Läden & Märkte"."таблица"("ключ" bigserial primary key, "значение" text,
  "Größe.Nr." int references "Läden & Märkte"."Größe" on delete cascade);
create index "индекс" on "Läden & Märkte"."таблица"("Größe.Nr.");
create table "表"("列" text primary key, " " int not null);
create index "🗝" on "表"(" ");
create table "UPPER"("Id" int generated always as identity primary key, "A""B" text);
create index "UPPER_A""B" on "UPPER"("A""B");
insert into "Läden & Märkte"."Größe" select i, 'Straße ' || i % 300, i from generate_series(1, 2500) i;
insert into "Läden & Märkte"."таблица"("Größe.Nr.") select i % 2500 + 1 from generate_series(1, 4000) i;
insert into "表" select 'x' || i, i from generate_series(1, 2000) i;
insert into "UPPER"("A""B") select 'v' || i from generate_series(1, 2000) i;
-- traffic
select * from "Läden & Märkte"."Größe" where "Straße" = 'Straße 5' order by "Nr.";
select count(*) from "Läden & Märkte"."таблица" where "Größe.Nr." = 5;
select * from "表" where " " = 7;
select * from "UPPER" where "A""B" = 'v9';
delete from "Läden & Märkte"."Größe" where "Nr." = 11;
