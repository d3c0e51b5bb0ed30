//! A receipt as a QR code is read by programs that are not ours, and is the receipt.

use std::{fs, fs::File, io::BufReader, path::Path};

use luzhang_ledger::{
    Hash, Position,
    proof::{
        Node, Policy, Receipt, SignedCheckpoint, SigningKey, TreeHead,
        note::{KeyName, Purpose},
        receipt::Subject,
        tree::{self, Leaf, Nodes},
    },
};
use luzhang_proto::wire::{
    self,
    proof_service_server::{ProofService, ProofServiceServer},
};
use rqrr::PreparedImage;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Request, Response, Status};

use crate::{
    ledgers::{bureau, text},
    support::{Server, Target},
};

/// The text in an image, which has one code.
#[track_caller]
fn scanned(width: usize, height: usize, gray: impl FnMut(usize, usize) -> u8) -> String {
    let mut image = PreparedImage::prepare_from_greyscale(width, height, gray);
    // Among so many squares there may be what looks like the corners of another code,
    // which is then none.
    let codes = image.detect_grids();
    let texts = codes.iter().filter_map(|code| code.decode().ok());
    let texts: Vec<String> = texts.map(|(_, text)| text).collect();
    assert_eq!(texts.len(), 1, "{} candidates", codes.len());
    texts.into_iter().next().unwrap()
}

#[track_caller]
fn scan_png(file: &Path) -> String {
    let decoder = png::Decoder::new(BufReader::new(File::open(file).unwrap()));
    let mut reader = decoder.read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut pixels).unwrap();
    assert_eq!(info.color_type, png::ColorType::Grayscale);
    let (width, height) = (info.width as usize, info.height as usize);
    scanned(width, height, |x, y| pixels[y * info.line_size + x])
}

/// Draws an SVG of squares: `M3 4h5v5H3V4` and the like in one path.
#[track_caller]
fn scan_svg(file: &Path) -> String {
    let svg = fs::read_to_string(file).unwrap();
    let attribute = |name: &str| {
        let (_, rest) = svg.split_once(&format!(" {name}=\"")).unwrap();
        rest.split_once('"').unwrap().0.to_owned()
    };
    let sides: Vec<usize> = attribute("viewBox")
        .split(' ')
        .map(|number| number.parse().unwrap())
        .collect();
    let (width, height) = (sides[2], sides[3]);
    let mut pixels = vec![255_u8; width * height];
    let squares = attribute("d");
    for square in squares
        .split('M')
        .filter(|square| !square.trim().is_empty())
    {
        let numbers: Vec<usize> = square
            .split(|c: char| !c.is_ascii_digit())
            .filter(|digits| !digits.is_empty())
            .map(|digits| digits.parse().unwrap())
            .collect();
        let (x, y, across, down) = (numbers[0], numbers[1], numbers[2], numbers[3]);
        for row in pixels.chunks_mut(width).skip(y).take(down) {
            row[x..x + across].fill(0);
        }
    }
    scanned(width, height, |x, y| pixels[y * width + x])
}

#[test]
fn a_code_holds_the_receipt_byte_by_byte() {
    let ledger = bureau();
    let draw_both = |target: &Target| {
        let way = &target.options()[0];
        for (position, options) in [(1, &[][..]), (257, &[]), (5, &["--with-content"])] {
            let place = position.to_string();
            let [png, svg] = ["png", "svg"]
                .map(|form| ledger.file(&format!("{place}{}{way}.{form}", options.len())));
            for (file, scan) in [
                (&png, &scan_png as &dyn Fn(&Path) -> String),
                (&svg, &scan_svg),
            ] {
                let get = ["proof", "get", &place, "--qr", text(file)];
                let receipt = target.run(get.iter().chain(options)).ended(0).out;
                assert_eq!(scan(file), receipt, "{}", file.display());
                let taken = target.run(get);
                taken.failed(1, "FILE_IO");
            }
        }
        // A policy pack is too large, and nothing is left behind.
        let large = ledger.file("large.png");
        let get = ["proof", "get", "2", "--with-content", "--qr", text(&large)];
        target.run(get).failed(1, "QR_TOO_LARGE");
        assert!(!large.exists());
        let strange = ledger.file("large.gif");
        let get = ["proof", "get", "1", "--qr", text(&strange)];
        target.run(get).failed(2, "USAGE");
    };
    draw_both(&ledger.target());
    draw_both(&Server::start(&ledger.dir()).target());
}

/// A tree in which every event is the same one: its nodes are known at any size.
struct Uniform {
    by_height: Vec<Node>,
}

impl Uniform {
    fn of(event: Hash) -> Self {
        let mut by_height = vec![Node::of_event(event)];
        for _ in 0..64 {
            let child = by_height[by_height.len() - 1];
            by_height.push(Node::parent(child, child));
        }
        Self { by_height }
    }
}

impl Nodes for Uniform {
    type Error = ();

    fn node(&mut self, height: u32, _index: u64) -> Result<Node, ()> {
        self.by_height.get(height as usize).copied().ok_or(())
    }
}

/// The receipt of the first of so many events, under the longest name of a ledger
/// that was not given another one, with so many cosignatures.
fn receipt_of(events: u64, witnesses: u8) -> (Receipt, Policy) {
    let hash = Hash::from_bytes([7; 32]);
    let mut nodes = Uniform::of(hash);
    let root = tree::root(&mut nodes, events).unwrap();
    let path = tree::inclusion(&mut nodes, 0, events).unwrap();
    let head = TreeHead { size: events, root };
    let leaf = Leaf {
        index: 0,
        node: Node::of_event(hash),
    };
    tree::verify_inclusion(leaf, &path, &head).unwrap();
    let key = |name: &str, purpose, seed: u8| {
        SigningKey::from_seed(KeyName::new(name).unwrap(), purpose, &[seed; 32])
    };
    let log = key(
        "luzhang/0198c5a2-7d00-7000-8000-000000000001",
        Purpose::Author,
        1,
    );
    let mut checkpoint = SignedCheckpoint::sign(head, &[&log]).unwrap();
    let mut policy = vec![format!("log {}", log.verifier())];
    let mut group = "group all all".to_owned();
    for number in 1..=witnesses {
        let name = format!("audit.luzhou.example/w{number}");
        let witness = key(&name, Purpose::Witness, 100 + number);
        checkpoint.add(checkpoint.cosign(&witness, 1_800_000_000));
        policy.push(format!("witness w{number} {}", witness.verifier()));
        group = format!("{group} w{number}");
    }
    policy.extend([group, "quorum all".to_owned()]);
    let receipt = Receipt {
        subject: Subject::Hash(hash),
        position: Position::FIRST,
        path,
        checkpoint,
    };
    (receipt, policy.join("\n").parse().unwrap())
}

/// A server that hands out one receipt, whatever is asked.
#[derive(Debug)]
struct One(String);

#[tonic::async_trait]
impl ProofService for One {
    async fn get_receipt(
        &self,
        _request: Request<wire::GetReceiptRequest>,
    ) -> Result<Response<wire::GetReceiptResponse>, Status> {
        let receipt = self.0.clone();
        Ok(Response::new(wire::GetReceiptResponse { receipt }))
    }

    async fn get_checkpoint(
        &self,
        _request: Request<wire::GetCheckpointRequest>,
    ) -> Result<Response<wire::GetCheckpointResponse>, Status> {
        Err(Status::unimplemented(""))
    }

    async fn attest(
        &self,
        _request: Request<wire::AttestRequest>,
    ) -> Result<Response<wire::AttestResponse>, Status> {
        Err(Status::unimplemented(""))
    }

    async fn get_consistency(
        &self,
        _request: Request<wire::GetConsistencyRequest>,
    ) -> Result<Response<wire::GetConsistencyResponse>, Status> {
        Err(Status::unimplemented(""))
    }

    async fn list_keys(
        &self,
        _request: Request<wire::ListKeysRequest>,
    ) -> Result<Response<wire::ListKeysResponse>, Status> {
        Err(Status::unimplemented(""))
    }

    async fn rotate_key(
        &self,
        _request: Request<wire::RotateKeyRequest>,
    ) -> Result<Response<wire::RotateKeyResponse>, Status> {
        Err(Status::unimplemented(""))
    }
}

/// What of one receipt can be scanned from paper, drawn by the binary.
async fn drawn(receipt: &Receipt) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let served = tonic::transport::Server::builder()
        .add_service(ProofServiceServer::new(One(receipt.to_string())))
        .serve_with_incoming(TcpListenerStream::new(listener));
    let served = tokio::spawn(served);
    let scratch = tempfile::tempdir().unwrap();
    let file = scratch.path().join("receipt.png");
    let asked = file.clone();
    let ran = tokio::task::spawn_blocking(move || {
        let get = ["proof", "get", "1", "--qr", text(&asked)];
        Target::server(&url).run(get)
    });
    ran.await.unwrap().ended(0);
    served.abort();
    scan_png(&file)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ledger_of_many_years_still_fits_on_paper() {
    for (events, witnesses) in [(10_000_000, 1), (10_000_000, 3), (10_000_000_000, 3)] {
        let (receipt, policy) = receipt_of(events, witnesses);
        assert!(receipt.path.len() >= 24, "{}", receipt.path.len());
        receipt.verify(&policy).unwrap();
        let text = drawn(&receipt).await;
        assert_eq!(text, receipt.to_string());
        let scanned = Receipt::parse(text.as_bytes()).unwrap();
        scanned.verify(&policy).unwrap();
    }
}
