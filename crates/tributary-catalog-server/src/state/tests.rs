#![allow(clippy::unwrap_used)]

use super::*;

fn database(name: &str) -> Database {
    Database { id: format!("id of {name}"), name: name.to_owned(), options: BTreeMap::new(), audit: Audit::default() }
}

/// A state with the databases d and e and the live table d.t (id 11111111-t).
fn filled() -> State {
    let mut state = State::default();
    for name in ["d", "e"] {
        run(&mut state, |state| state.create_database(database(name))).unwrap();
    }
    create(&mut state, "d", "t", "11111111-t").unwrap();
    state
}

fn run(state: &mut State, decide: impl FnOnce(&State) -> Result<Vec<Change>, Problem>) -> Result<(), u16> {
    let changes = decide(state).map_err(|problem| problem.code)?;
    changes.into_iter().for_each(|change| state.apply(change));
    Ok(())
}

fn create(state: &mut State, database: &str, name: &str, id: &str) -> Result<String, u16> {
    let entry = state.create_table(database, name, id, Audit::default()).map_err(|problem| problem.code)?;
    state.apply(Change::PutTable(entry.clone()));
    state.apply(Change::PutTable(entry.at_stage(Stage::Live)));
    Ok(entry.folder)
}

fn tables(state: &State, database: &str) -> Vec<String> {
    state.tables_of(database).map(|entry| entry.name.clone()).collect()
}

#[test]
fn a_name_has_one_owner() {
    let mut state = filled();
    assert_eq!(run(&mut state, |state| state.create_database(database("d"))), Err(409));
    assert_eq!(create(&mut state, "d", "t", "2"), Err(409));
    assert_eq!(create(&mut state, "none", "t", "2"), Err(404));
    assert_eq!(create(&mut state, "e", "t", "2").unwrap(), "e.db/t");
    assert_eq!(state.table("e", "t").unwrap().id, "2");
    assert_eq!(state.counts(), (2, 2));
}

#[test]
fn a_table_that_is_being_created_has_its_name_and_is_not_there_yet() {
    let mut state = filled();
    let entry = state.create_table("d", "new", "2", Audit::default()).unwrap();
    state.apply(Change::PutTable(entry));
    assert_eq!(state.table("d", "new").unwrap_err().code, 404);
    assert_eq!(state.create_table("d", "new", "3", Audit::default()).unwrap_err().code, 409);
    assert_eq!(state.unfinished().len(), 1);
    assert_eq!(run(&mut state, |state| state.drop_database("d")), Err(503));
    assert_eq!(tables(&state, "d"), ["t"]);
}

#[test]
fn a_renamed_table_keeps_identity_and_folder_and_frees_its_name() {
    let mut state = filled();
    run(&mut state, |state| state.rename_table(("d", "t"), ("e", "u"))).unwrap();
    let entry = Arc::clone(state.table("e", "u").unwrap());
    assert_eq!((entry.id.as_str(), entry.folder.as_str()), ("11111111-t", "d.db/t"));
    assert_eq!(state.table("d", "t").unwrap_err().code, 404);
    assert_eq!(create(&mut state, "d", "t", "22222222-t").unwrap(), "d.db/t-22222222");
    for (from, to, code) in [
        (("e", "u"), ("d", "t"), 409),
        (("e", "none"), ("d", "x"), 404),
        (("e", "u"), ("none", "x"), 404),
        (("e", "u"), ("d", "a/b"), 400),
        (("e", "u"), ("e", "u"), 409),
    ] {
        assert_eq!(run(&mut state, |state| state.rename_table(from, to)), Err(code), "{from:?} {to:?}");
    }
}

#[test]
fn a_dropped_table_frees_its_name_at_once_and_its_folder_when_it_is_gone() {
    let mut state = filled();
    let dropped = state.drop_table("d", "t").unwrap();
    state.apply(Change::PutTable(dropped.clone()));
    assert_eq!(state.table("d", "t").unwrap_err().code, 404);
    assert_eq!(create(&mut state, "d", "t", "22222222-t").unwrap(), "d.db/t-22222222");
    state.apply(Change::RemoveTable(dropped.id));
    assert_eq!(state.table("d", "t").unwrap().id, "22222222-t");
    assert!(!state.has_folder("d.db/t"));
}

#[test]
fn a_database_takes_its_tables_with_it() {
    let mut state = filled();
    run(&mut state, |state| state.drop_database("d")).unwrap();
    assert_eq!(run(&mut state, |state| state.drop_database("d")), Err(404));
    assert_eq!(state.unfinished().len(), 1);
    run(&mut state, |state| state.create_database(database("d"))).unwrap();
    assert_eq!(tables(&state, "d"), Vec::<String>::new());
}

#[test]
fn names_are_folders() {
    for (name, fits) in [
        ("orders", true),
        ("Bestellungen für 2026", true),
        ("", false),
        (" ", false),
        ("..", false),
        ("a/b", false),
        ("a\\b", false),
        ("t$files", false),
        ("a\nb", false),
    ] {
        assert_eq!(check_name("table", name).is_ok(), fits, "{name:?}");
    }
    assert!(check_name("table", &"x".repeat(201)).is_err());
}
