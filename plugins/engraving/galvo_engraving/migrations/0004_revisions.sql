alter table engraving.project
    add machine_id integer not null default 1 references engraving.machine,
    add revision integer not null default 1,                     -- of what is in the row
    add constraint project_name_once unique (user_id, name);
create index project_machine on engraving.project (machine_id);

-- What a project was before each change, the row's own state not included.
create table engraving.project_revision (
    project_id   integer not null references engraving.project on delete cascade,
    revision     integer not null,
    template_id  integer not null references engraving.box_template,
    material_id  integer not null references engraving.material,
    machine_id   integer not null references engraving.machine,
    thickness_mm numeric(5, 2) not null,
    name         text not null,
    parameters   jsonb not null,
    saved_at     timestamptz not null default now(),
    primary key (project_id, revision)
);
create index project_revision_template on engraving.project_revision (template_id);
create index project_revision_material on engraving.project_revision (material_id);
create index project_revision_machine on engraving.project_revision (machine_id);
