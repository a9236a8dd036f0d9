//! A browser that loads a page with pictures, a style sheet and scripts, and checks bytes that it fetches.
//!
//! Chromium's headless shell, where the machine has it: `apt-get install chromium-headless-shell` on Debian, which `cargo xtask setup` leaves
//! to who wants it, for it is large.

use super::server::{bounded, check, count, obstacle, skipped, Server, CLIENT, FAULTS, URL};
use anyhow::{ensure, Context, Result};
use baton::server::http::bodies;
use std::fmt::Write;
use std::path::Path;
use std::process::Command;

/// Names under which it is installed.
const BROWSERS: [&str; 4] = ["chromium-headless-shell", "chromium", "chromium-browser", "google-chrome"];
const PICTURES: usize = 12;
/// Length of what the page fetches, by its seed.
const FETCHED: [(u64, usize); 4] = [(1, 1), (2, 60_000), (3, 4096), (4, 200_000)];

fn browser() -> Option<&'static str> {
    BROWSERS.into_iter().find(|name| Command::new(name).arg("--version").output().is_ok())
}

/// What the page works out of a response, so that it need not be copied out of the browser.
fn digest(seed: u64, len: usize) -> i32 {
    let mut bytes = vec![0; len];
    bodies::fill(seed, 0, &mut bytes);
    bytes.iter().fold(0i32, |sum, byte| sum.wrapping_mul(31).wrapping_add(i32::from(*byte)))
}

/// A page that says in its document what it has got.
fn write_site(folder: &Path) -> Result<()> {
    let mut page = String::from("<!doctype html><meta charset=utf-8><title>Baton</title>\n");
    page += "<link rel=stylesheet href=style.css><script src=get.js></script>\n";
    for number in 0..PICTURES {
        writeln!(page, "<img src=picture-{number}.svg>")?;
        // Some are longer than a window.
        let comment = "x".repeat(number * number * 500);
        let picture = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{}\" height=\"9\"><!--{comment}--></svg>",
            number + 10
        );
        std::fs::write(folder.join(format!("picture-{number}.svg")), picture)?;
    }
    page += "<p id=got></p><p id=seen></p><script>document.getElementById('got').textContent = [";
    for (seed, len) in FETCHED {
        write!(page, "get('/bytes/{len}?seed={seed}'),")?;
    }
    page += "].join(' ');\nwindow.onload = () => { document.getElementById('seen').textContent = 'width '\
             + getComputedStyle(document.body).width + ' pictures '\
             + [...document.images].map(i => i.naturalWidth).join(','); };</script>\n";
    std::fs::write(folder.join("index.html"), page)?;
    std::fs::write(folder.join("style.css"), "body { width: 321px; margin: 0 }\n")?;
    let script = "function get(path) {
  const request = new XMLHttpRequest();
  request.open('GET', path, false);
  request.overrideMimeType('text/plain; charset=x-user-defined');
  request.send();
  let sum = 0;
  for (let i = 0; i < request.responseText.length; i++)
    sum = (Math.imul(sum, 31) + (request.responseText.charCodeAt(i) & 255)) | 0;
  return request.status + ':' + request.responseText.length + ':' + sum;
}
";
    std::fs::write(folder.join("get.js"), script)?;
    Ok(())
}

#[test]
fn a_browser_loads_a_page() -> Result<()> {
    let why = obstacle(&[]);
    let (None, Some(browser)) = (&why, browser()) else {
        let missing = || format!("none of {} is installed", BROWSERS.join(", "));
        skipped("a_browser_loads_a_page", &why.unwrap_or_else(missing));
        return Ok(());
    };
    let site = Path::new(env!("CARGO_TARGET_TMPDIR")).join("live-site");
    std::fs::create_dir_all(&site)?;
    write_site(&site)?;
    let dir = site.to_str().context("the path is UTF-8")?;
    for (wire, faults) in [("quiet", &[][..]), ("bad", FAULTS)] {
        let server = Server::start(
            &format!("browser-{wire}"),
            &[faults, &["--dir", dir, "--handoff", "first-come"]].concat(),
        )?;
        let mut client = server.client(browser);
        client.args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--no-first-run",
        ]);
        client.args(["--disable-background-networking", "--dump-dom"]);
        client.arg(format!("--user-data-dir={}", server.folder.join("profile").display()));
        let output = bounded(client.arg(format!("{URL}/")), CLIENT)?;
        let page = String::from_utf8_lossy(&output.stdout).into_owned();
        let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
        ensure!(output.status.success(), "{browser}: {}: {complaint}", output.status);

        let got: Vec<_> =
            FETCHED.map(|(seed, len)| format!("200:{len}:{}", digest(seed, len))).into_iter().collect();
        let got = format!("<p id=\"got\">{}</p>", got.join(" "));
        ensure!(page.contains(&got), "{wire}: no {got} in {page}");
        let widths: Vec<_> = (0..PICTURES).map(|number| (number + 10).to_string()).collect();
        let seen = format!("<p id=\"seen\">width 321px pictures {}</p>", widths.join(","));
        ensure!(page.contains(&seen), "{wire}: no {seen} in {page}");

        let summary = server.stop()?;
        check(&summary);
        // A browser has six connections to a server at most, and opens more than one for as many pictures.
        assert!(count(&summary, "/server/handoffs") > 1, "{summary:#}");
        println!("{browser}, {wire} wire: {} connections", count(&summary, "/server/handoffs"));
    }
    let _ = std::fs::remove_dir_all(&site);
    Ok(())
}
