create table item(id int primary key, sku text not null, shop int not null, price int not null, name text not null,
  seen timestamptz, gone boolean not null default false, constraint item_sku unique (sku) include (price));
create unique index item_shop_sku on item(shop, sku);
create index item_newest on item(seen desc nulls last, id desc);
create index item_oldest on item(seen, id);
create index item_cheap on item(price) where price < 10;
create index item_dear on item(price) where price > 990;
create index item_shop_price on item(shop, price) where not gone;
create index item_name on item(name);
create index item_name_c on item(name collate "POSIX");
create unique index item_live on item(name, shop) where not gone;
insert into item select i, 'sku' || i, i % 20, i % 1000, 'name' || i, timestamptz '2026-01-01' + i * interval '1 min', i % 9 = 0
  from generate_series(1, 5000) i;
-- traffic
select price from item where sku = 'sku7';
select id from item where shop = 3 and sku = 'sku23';
select id from item order by seen desc nulls last, id desc limit 5;
select id from item order by seen, id limit 5;
select count(*) from item where price = 7 and price < 10;
select count(*) from item where price = 995 and price > 990;
select id from item where shop = 3 and not gone order by price limit 3;
select id from item where name = 'name9';
select id from item where name > 'name9' collate "POSIX" order by name collate "POSIX" limit 3;
