-- What a project was keeps no template, material or machine from being deleted: null, and it cannot be restored.
alter table engraving.project_revision
    alter template_id drop not null,
    alter material_id drop not null,
    alter machine_id drop not null,
    drop constraint project_revision_template_id_fkey,
    drop constraint project_revision_material_id_fkey,
    drop constraint project_revision_machine_id_fkey,
    add constraint project_revision_template_id_fkey
        foreign key (template_id) references engraving.box_template on delete set null,
    add constraint project_revision_material_id_fkey
        foreign key (material_id) references engraving.material on delete set null,
    add constraint project_revision_machine_id_fkey
        foreign key (machine_id) references engraving.machine on delete set null;
