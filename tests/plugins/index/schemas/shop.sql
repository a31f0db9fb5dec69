create table customer(id bigint generated always as identity primary key, email text not null unique, name text not null,
  created timestamptz not null default now());
create table product(id bigint generated always as identity primary key, sku text not null unique, title text not null,
  price numeric(10, 2) not null check (price >= 0), active boolean not null default true);
create table orders(id bigint generated always as identity primary key, customer_id bigint not null references customer,
  state text not null default 'new' check (state in ('new', 'paid', 'sent')), placed timestamptz not null);
create index orders_customer_placed on orders(customer_id, placed desc);
create index orders_state_placed on orders(state, placed);
create table order_line(order_id bigint references orders on delete cascade, line int, product_id bigint not null
  references product, quantity int not null check (quantity > 0), primary key (order_id, line));
create index order_line_product on order_line(product_id);
insert into customer(email, name) select 'c' || i || '@example.org', 'Customer ' || i from generate_series(1, 800) i;
insert into product(sku, title, price) select 'sku-' || i, 'Thing ' || i, i % 90 + 1 from generate_series(1, 300) i;
insert into orders(customer_id, state, placed) select i % 800 + 1, (array['new', 'paid', 'sent'])[i % 3 + 1],
  timestamptz '2026-01-01' + i * interval '7 min' from generate_series(1, 4000) i;
insert into order_line select o.id, l, (o.id * l) % 300 + 1, l from orders o, generate_series(1, 3) l;
-- traffic
select * from customer where email = 'c17@example.org';
select * from orders where customer_id = 42 order by placed desc limit 10;
select id from orders where state = 'new' and placed < '2026-01-09' order by placed limit 20;
select p.title, l.quantity from order_line l join product p on p.id = l.product_id where l.order_id = 77;
select count(*) from order_line where product_id = 5;
update orders set state = 'paid' where id between 10 and 60;
delete from orders where id between 100 and 140;
