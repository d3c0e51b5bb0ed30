#[test]
fn bench_tmp() {
    use luzhang_ledger::proof::Node;
    let mut a = Node::EMPTY;
    for _ in 0..5_000_000 { a = Node::parent(a, a); }
    println!("{a}");
}
