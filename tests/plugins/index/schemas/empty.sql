-- traffic
select 1;
