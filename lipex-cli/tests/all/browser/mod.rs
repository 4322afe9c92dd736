//! Headless Chromium over its DevTools protocol, by the pipe that `--remote-debugging-pipe` opens: no port, no driver.

use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// Set, a missing Chromium is a failure.
const REQUIRED: &str = "LIPEX_REQUIRE_CHROMIUM";

/// One tab of a browser that ends with this value.
pub struct Browser {
    child: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
    session: Value,
    calls: u64,
    /// What the page complained of: console messages, exceptions, refused resources.
    pub complaints: Vec<String>,
    /// Addresses that were asked for.
    pub requests: Vec<String>,
    _profile: tempfile::TempDir,
}

impl Browser {
    /// A browser, or None, said aloud, where there is no `chromium` on the PATH.
    pub fn start() -> Option<Self> {
        if Command::new("chromium").arg("--version").stderr(Stdio::null()).output().is_err() {
            assert!(std::env::var_os(REQUIRED).is_none(), "{REQUIRED} is set and there is no chromium");
            println!("skipped: no chromium");
            return None;
        }
        let profile = tempfile::tempdir().unwrap();
        // The protocol speaks on descriptors 3 and 4, which a shell can give it.
        let line = "exec chromium --headless --no-sandbox --disable-gpu --disable-quic --no-first-run \
                    --disable-background-networking --disable-component-update --disable-sync --disable-dev-shm-usage \
                    --hide-scrollbars --remote-debugging-pipe --user-data-dir=\"$0\" about:blank 3<&0 4>&1 0</dev/null 1>&2";
        let mut child = Command::new("sh")
            .args(["-c", line])
            .arg(profile.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let to = child.stdin.take().unwrap();
        let from = BufReader::new(child.stdout.take().unwrap());
        let (complaints, requests) = (Vec::new(), Vec::new());
        let mut browser =
            Browser { child, to, from, session: Value::Null, calls: 0, complaints, requests, _profile: profile };
        let target = browser.call("Target.createTarget", json!({"url": "about:blank"}))["targetId"].clone();
        let attached = browser.call("Target.attachToTarget", json!({"targetId": target, "flatten": true}));
        browser.session = attached["sessionId"].clone();
        for domain in ["Page", "Runtime", "Log", "Network"] {
            browser.call(&format!("{domain}.enable"), json!({}));
        }
        Some(browser)
    }

    /// Calls a method of the protocol and gives its result; events that come before it are noted.
    pub fn call(&mut self, method: &str, parameters: Value) -> Value {
        self.calls += 1;
        let mut message = json!({"id": self.calls, "method": method, "params": parameters});
        if !self.session.is_null() {
            message["sessionId"] = self.session.clone();
        }
        self.to.write_all(format!("{message}\0").as_bytes()).unwrap();
        loop {
            let answer = self.next();
            if answer["id"] == self.calls {
                assert!(answer["error"].is_null(), "{method}: {}", answer["error"]);
                return answer["result"].clone();
            }
        }
    }

    /// The next message; an event is noted too.
    fn next(&mut self) -> Value {
        let mut bytes = Vec::new();
        self.from.read_until(0, &mut bytes).unwrap();
        assert!(!bytes.is_empty(), "chromium ended");
        let message: Value = serde_json::from_slice(&bytes[..bytes.len() - 1]).unwrap();
        let of = &message["params"];
        match message["method"].as_str().unwrap_or("") {
            "Runtime.consoleAPICalled" => self.complaints.push(of["args"].to_string()),
            "Runtime.exceptionThrown" => self.complaints.push(of["exceptionDetails"].to_string()),
            "Log.entryAdded" => self.complaints.push(of["entry"].to_string()),
            "Network.requestWillBeSent" => self.requests.push(of["request"]["url"].to_string()),
            _ => {}
        }
        message
    }

    /// Opens a file at a width and height of the screen, in light or dark, and waits until it is there.
    pub fn open(&mut self, file: &std::path::Path, size: (u32, u32), dark: bool) {
        let (width, height) = size;
        let metrics = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500});
        self.call("Emulation.setDeviceMetricsOverride", metrics);
        let scheme = json!({"name": "prefers-color-scheme", "value": if dark { "dark" } else { "light" }});
        self.call("Emulation.setEmulatedMedia", json!({"features": [scheme]}));
        self.complaints.clear();
        self.requests.clear();
        self.call("Page.navigate", json!({"url": format!("file://{}", file.display())}));
        while self.next()["method"] != "Page.loadEventFired" {}
    }

    /// The value of an expression in the page; a promise is waited for.
    pub fn value(&mut self, expression: &str) -> Value {
        let parameters = json!({"expression": expression, "returnByValue": true, "awaitPromise": true});
        let answer = self.call("Runtime.evaluate", parameters);
        assert!(answer["exceptionDetails"].is_null(), "{expression}: {answer}");
        answer["result"]["value"].clone()
    }

    pub fn text(&mut self, expression: &str) -> String {
        let value = self.value(expression);
        value.as_str().unwrap_or_else(|| panic!("{expression} is {value}")).to_string()
    }

    pub fn number(&mut self, expression: &str) -> f64 {
        let value = self.value(expression);
        value.as_f64().unwrap_or_else(|| panic!("{expression} is {value}"))
    }

    /// The middle of what a selector finds first, after scrolling there.
    fn middle(&mut self, selector: &str) -> (f64, f64) {
        let quoted = Value::from(selector);
        self.value(&format!("document.querySelector({quoted}).scrollIntoView({{block: 'center', inline: 'center'}})"));
        let middle = |side: &str, length: &str| {
            format!("(r => r.{side} + r.{length} / 2)(document.querySelector({quoted}).getClientRects()[0])")
        };
        (self.number(&middle("left", "width")), self.number(&middle("top", "height")))
    }

    /// Moves the mouse onto the middle of what a selector finds first.
    pub fn point_at(&mut self, selector: &str) -> (f64, f64) {
        let (x, y) = self.middle(selector);
        self.call("Input.dispatchMouseEvent", json!({"type": "mouseMoved", "x": x, "y": y}));
        (x, y)
    }

    pub fn click(&mut self, selector: &str) {
        let (x, y) = self.point_at(selector);
        for kind in ["mousePressed", "mouseReleased"] {
            let event = json!({"type": kind, "x": x, "y": y, "button": "left", "clickCount": 1});
            self.call("Input.dispatchMouseEvent", event);
        }
    }

    /// Makes the screen one that is touched, without a mouse, or undoes that.
    pub fn touchable(&mut self, enabled: bool) {
        self.call("Emulation.setTouchEmulationEnabled", json!({"enabled": enabled, "maxTouchPoints": 1}));
    }

    /// Touches the middle of what a selector finds first, briefly, as a finger does.
    pub fn tap(&mut self, selector: &str) {
        let (x, y) = self.middle(selector);
        // The click follows when the browser has made out that it was no swipe.
        let clicked = "window.clicked = new Promise(done => {\
                       addEventListener('click', () => setTimeout(done, 0, true), {once: true, capture: true});\
                       setTimeout(done, 10000, false); }); 0";
        self.value(clicked);
        for (kind, points) in [("touchStart", json!([{"x": x, "y": y}])), ("touchEnd", json!([]))] {
            self.call("Input.dispatchTouchEvent", json!({"type": kind, "touchPoints": points}));
        }
        assert_eq!(self.value("clicked"), true, "a tap on {selector} clicks nothing");
    }

    pub fn press(&mut self, key: &str) {
        let code = match key {
            "Tab" => 9,
            "Enter" => 13,
            "ArrowLeft" => 37,
            "ArrowRight" => 39,
            _ => 0,
        };
        let mut event = json!({"type": "keyDown", "key": key, "code": key, "windowsVirtualKeyCode": code});
        if key == "Enter" {
            event["text"] = "\r".into();
        }
        self.call("Input.dispatchKeyEvent", event.clone());
        event["type"] = "keyUp".into();
        self.call("Input.dispatchKeyEvent", event);
    }

    /// Saves a picture of the whole page where `LIPEX_PICTURES` names a folder, to be looked at.
    pub fn picture(&mut self, name: &str) {
        let Some(folder) = std::env::var_os("LIPEX_PICTURES") else { return };
        let shot = self.call("Page.captureScreenshot", json!({"format": "png", "captureBeyondViewport": true}));
        use base64::Engine;
        let bytes = base64::engine::general_purpose::STANDARD.decode(shot["data"].as_str().unwrap()).unwrap();
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(std::path::Path::new(&folder).join(format!("{name}.png")), bytes).unwrap();
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // The browser leaves when its pipe closes; it is gone for certain after this.
        let _ = self.child.kill();
        let _ = self.from.get_mut().read_to_end(&mut Vec::new());
        let _ = self.child.wait();
    }
}
