//! Runs test files: `cases statetest|blocktest PATH…`.
fn walk(path: &std::path::Path, out: &mut Vec<std::path::PathBuf>) {
    if path.is_dir() {
        for entry in std::fs::read_dir(path).unwrap().flatten() { walk(&entry.path(), out); }
    } else if path.extension().is_some_and(|e| e == "json") { out.push(path.into()); }
}
fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let mut files = Vec::new();
    for a in &args[1..] { walk(a.as_ref(), &mut files); }
    files.sort();
    let (mut pass, mut total) = (0, 0);
    for f in files {
        let text = std::fs::read(&f).unwrap();
        let r = if args[0] == "statetest" { coc_tool::statetest::run_file(&text) } else { coc_tool::blocktest::run_file(&text) };
        match r { Err(e) => println!("{}: {e}", f.display()), Ok(list) => for c in list {
            total += 1;
            match c.error { None => pass += 1, Some(e) => println!("{} {} {}: {e}", f.display(), c.name, c.fork) }
        } }
    }
    println!("{pass}/{total}");
}
