//! The programs of a live server: the web server, and the byte services that network tools expect.
//!
//! *Discard* (RFC 863) reads and forgets. *Echo* (RFC 862) sends back what it reads, straight from the receive ring: a byte
//! leaves the ring when the peer has acknowledged its echo, so the window closes on a peer that does not read. Both
//! close when the peer has, after everything was sent: a half-closed connection gets its whole answer.

use super::iperf::Iperf;
use crate::server::http::HttpServer;
use crate::server::{Application, SocketEvent, SocketId, Source, Stack};
use baton_cosim::port::HostMemory;
use std::collections::HashMap;

/// Ports of the byte services; 0 turns one off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServicePorts {
    pub echo: u16,
    pub discard: u16,
    pub iperf: u16,
}

impl ServicePorts {
    /// Those that are on.
    pub fn on(self) -> impl Iterator<Item = u16> {
        [self.echo, self.discard, self.iperf].into_iter().filter(|&port| port != 0)
    }
}

/// Counts of the byte services.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct ServiceStats {
    pub connections: u64,
    pub echoed_bytes: u64,
    pub discarded_bytes: u64,
    pub iperf_bytes: u64,
}

#[derive(Clone, Copy, Debug)]
enum Service {
    /// Bytes of the unread ones that are on their way back.
    Echo {
        under_way: u32,
    },
    Discard,
    Iperf,
}

/// A program for each port.
pub struct Services {
    pub http: HttpServer,
    pub iperf: Iperf,
    ports: ServicePorts,
    running: HashMap<SocketId, Service>,
    stats: ServiceStats,
}

impl Services {
    pub fn new(http: HttpServer, ports: ServicePorts) -> Self {
        Services {
            http,
            iperf: Iperf::default(),
            ports,
            running: HashMap::new(),
            stats: ServiceStats::default(),
        }
    }

    pub fn stats(&self) -> ServiceStats {
        ServiceStats { iperf_bytes: self.iperf.bytes(), ..self.stats }
    }

    fn service(&self, port: u16) -> Option<Service> {
        match port {
            0 => None,
            _ if port == self.ports.echo => Some(Service::Echo { under_way: 0 }),
            _ if port == self.ports.discard => Some(Service::Discard),
            _ if port == self.ports.iperf => Some(Service::Iperf),
            _ => None,
        }
    }
}

impl Application for Services {
    fn handle(&mut self, sockets: &mut Stack, memory: &mut HostMemory, id: SocketId, event: SocketEvent) {
        if event == SocketEvent::Established {
            let port = sockets.endpoints(id).map_or(0, |endpoints| endpoints.local_port);
            if let Some(service) = self.service(port) {
                self.running.insert(id, service);
                self.stats.connections += 1;
            }
        }
        let Some(service) = self.running.get_mut(&id) else {
            return self.http.handle(sockets, memory, id, event);
        };
        if let Service::Iperf = service {
            self.iperf.handle(sockets, memory, id, event);
        }
        match (service, event) {
            (_, SocketEvent::Ended(_)) => {
                self.running.remove(&id);
            }
            (Service::Echo { under_way }, SocketEvent::Readable) => {
                for span in sockets.unread_spans_after(id, *under_way) {
                    *under_way += span.len;
                    self.stats.echoed_bytes += u64::from(span.len);
                    sockets.send(id, span.addr, span.len, Source::User);
                }
            }
            (Service::Echo { under_way }, SocketEvent::Sent(n)) => {
                *under_way -= n;
                sockets.consume(id, n);
            }
            (Service::Discard, SocketEvent::Readable) => {
                let n = sockets.unread(id);
                self.stats.discarded_bytes += u64::from(n);
                sockets.consume(id, n);
            }
            (Service::Iperf, _) => {}
            // What is under way goes before the FIN.
            (_, SocketEvent::PeerClosed) => sockets.shutdown(id),
            _ => {}
        }
    }
}
