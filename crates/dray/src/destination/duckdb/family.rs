//! A root table with the nested tables whose rows belong to its rows, and deleting from all of them.

use std::collections::HashMap;

use super::ddl::Catalog;
use super::sql::{Param, Session, ident};
use crate::error::Result;

/// Which table's rows a nested table's rows belong to.
#[derive(Clone, Debug, Default)]
pub(super) struct Lineage {
    parents: HashMap<String, String>,
}

impl Lineage {
    pub(super) fn learn(&mut self, table: &str, parent: &str) {
        self.parents.insert(table.to_owned(), parent.to_owned());
    }

    /// For tables that no schema knows any more: the longest table name that begins the nested table's name.
    pub(super) fn guess(&mut self, catalog: &Catalog) {
        for shape in catalog.tables().filter(|shape| shape.has("_dlt_parent_id")) {
            if self.parents.contains_key(&shape.name) {
                continue;
            }
            let begins =
                |name: &str| shape.name.strip_prefix(name).is_some_and(|rest| rest.starts_with("__"));
            let parent =
                catalog.tables().filter(|other| begins(&other.name)).max_by_key(|other| other.name.len());
            if let Some(parent) = parent {
                self.parents.insert(shape.name.clone(), parent.name.clone());
            }
        }
    }

    /// `root` and all tables below it, parents first.
    pub(super) fn below(&self, root: &str) -> Vec<(String, Option<usize>)> {
        let mut family: Vec<(String, Option<usize>)> = vec![(root.to_owned(), None)];
        let mut next = 0;
        while let Some((name, _)) = family.get(next) {
            let mut children: Vec<&String> =
                self.parents.iter().filter(|(_, parent)| *parent == name).map(|(child, _)| child).collect();
            children.sort();
            let fresh: Vec<String> = children
                .into_iter()
                .filter(|child| family.iter().all(|(name, _)| name != *child))
                .cloned()
                .collect();
            family.extend(fresh.into_iter().map(|child| (child, Some(next))));
            next += 1;
        }
        family
    }
}

/// One table of a family, in the database.
#[derive(Clone, Debug)]
struct Member {
    /// Its name for statements.
    sql: String,
    parent: Option<usize>,
}

/// The tables of a family that are there, parents first; the first one is the root.
#[derive(Clone, Debug)]
pub(super) struct Family(Vec<Member>);

impl Family {
    /// The tables below `root` that `find` has; a table's children go with it.
    pub(super) fn new(lineage: &Lineage, root: &str, find: impl Fn(&str) -> Option<String>) -> Option<Self> {
        let mut members: Vec<Member> = Vec::new();
        let mut places: Vec<Option<usize>> = Vec::new();
        for (name, parent) in lineage.below(root) {
            let parent = parent.map(|parent| places.get(parent).copied().flatten());
            let sql = match parent {
                // Without its parent nothing can be said of its rows.
                Some(None) => None,
                _ => find(&name),
            };
            places.push(sql.as_ref().map(|_| members.len()));
            members.extend(sql.map(|sql| Member { sql, parent: parent.flatten() }));
        }
        members
            .first()
            .is_some_and(|first| first.parent.is_none() && places.first() == Some(&Some(0)))
            .then_some(())?;
        Some(Self(members))
    }

    /// The root table's name for statements.
    pub(super) fn root(&self) -> &str {
        self.0.first().map_or("", |member| &member.sql)
    }

    /// Deletes every row of every table; gives the number of root rows.
    pub(super) fn empty(&self, session: &mut Session) -> Result<u64> {
        let mut roots = 0;
        for (index, member) in self.0.iter().enumerate() {
            let count = session.run(&format!("DELETE FROM {}", member.sql), &[])?;
            roots = if index == 0 { count } else { roots };
        }
        Ok(roots)
    }

    /// Deletes the root rows `t` for which `condition` holds, and all rows that belong to them.
    pub(super) fn delete(&self, session: &mut Session, condition: &str, params: &[Param<'_>]) -> Result<u64> {
        if self.0.len() == 1 {
            return session.run(&format!("DELETE FROM {} AS t WHERE {condition}", self.root()), params);
        }
        let mut count = 0;
        for (index, member) in self.0.iter().enumerate() {
            let dead = dead(index);
            let (condition, params) = match member.parent {
                None => (condition.to_owned(), params),
                Some(parent) => {
                    (format!("t._dlt_parent_id IN (SELECT _dlt_id FROM {})", self::dead(parent)), &[][..])
                }
            };
            session.run(&format!("DROP TABLE IF EXISTS {dead}"), &[])?;
            session.run(
                &format!(
                    "CREATE TEMP TABLE {dead} AS SELECT t._dlt_id FROM {} AS t WHERE {condition}",
                    member.sql
                ),
                params,
            )?;
            if index == 0 {
                count = session.count(&format!("SELECT count(*) FROM {dead}"), &[])?;
                if count == 0 {
                    return Ok(0);
                }
            }
        }
        for (index, member) in self.0.iter().enumerate() {
            let gone = format!("_dlt_id IN (SELECT _dlt_id FROM {})", dead(index));
            session.run(&format!("DELETE FROM {} WHERE {gone}", member.sql), &[])?;
        }
        Ok(count)
    }
}

fn dead(index: usize) -> String {
    format!("temp.main.{}", ident(&format!("dray_dead_{index}")))
}
