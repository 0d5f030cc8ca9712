//! Ways to have much media without a stream on record: none of them is enough to play by.

use streamgate_tests::{Client, Edge, Given, Settings};

/// An edge with two workers, and a client at each.
fn edge(max: u32) -> (Edge, Vec<Client>) {
    let edge = Edge::start(Settings::default().with("/policies/0/rules/0/max", max));
    let clients = edge.one_client_per_worker();
    (edge, clients)
}

fn status(client: &Client, path: &str, stream: &str, more: (&str, &str)) -> u16 {
    let ask = client.get(path).account("alice");
    ask.header("x-stream-id", stream)
        .header(more.0, more.1)
        .send()
        .status
}

#[test]
fn whoever_calls_all_that_is_watched_a_prefetch_gets_little_through_all_workers_together() {
    for said in [
        ("sec-purpose", "prefetch"),
        ("purpose", "prefetch"),
        ("x-moz", "prefetch"),
        ("cmcd-request", "sta=d"),
    ] {
        let (mut edge, clients) = edge(3);
        let mut served = 0;
        for number in 0..20 {
            for client in &clients {
                let path = format!("/carried/{number}.ts");
                served += usize::from(status(client, &path, "next", said) == 200);
            }
        }
        assert_eq!(served, 4, "{said:?}");
        assert_eq!(edge.app("demo-web").running("alice").len(), 0);
        edge.assert_sound();
    }
}

#[test]
fn a_film_by_another_name_is_limited_like_a_film() {
    for name in ["init.mp4", "film.key", "film.jpg", "film.vtt", "film.m3u8"] {
        let (mut edge, clients) = edge(2);
        let path = format!("/carried/{name}");
        let small = Given::body(vec![0; 2_000]);
        edge.origin.gives(&path, small);
        for client in &clients {
            for stream in ["a", "b", "c", "d"] {
                assert_eq!(status(client, &path, stream, ("x", "y")), 200, "{name}");
            }
        }
        assert_eq!(edge.app("demo-web").running("alice").len(), 0, "{name}");
        edge.origin.gives(&path, Given::body(vec![0; 3 << 20]));
        let statuses = ["a", "b", "a", "c", "d"].map(|stream| {
            let client = &clients[usize::from(stream > "a")];
            status(client, &path, stream, ("x", "y"))
        });
        assert_eq!(statuses, [200, 200, 200, 403, 403], "{name}");
        // By pieces it is the same film.
        let piece = Given::body(vec![0; 1_000]).status(206);
        let piece = piece.header("content-range", "bytes 0-999/4000000000");
        edge.origin.gives(&path, piece);
        let range = ("range", "bytes=0-999");
        assert_eq!(status(&clients[0], &path, "b", range), 206, "{name}");
        assert_eq!(status(&clients[0], &path, "e", range), 403, "{name}");
        assert_eq!(edge.app("demo-web").running("alice").len(), 2, "{name}");
        edge.assert_sound();
    }
}
