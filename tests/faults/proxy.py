"""A TCP proxy that can stop to forward without closing anything: as a network does that loses every packet."""

import selectors
import socket
import threading


class Proxy:
    """Forwards to a port of this machine; running when constructed."""

    def __init__(self, target):
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._peers = {}
        self._dead = set()  # sockets from which nothing is forwarded any more
        self._lock = threading.Lock()
        self._running = True
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def black_hole(self):
        """Whoever is connected now hears nothing any more, and is not heard; who comes later is."""
        with self._lock:
            for side in set(self._peers) - self._dead:
                self._dead.add(side)
                self._selector.unregister(side)

    @property
    def connections(self):
        return (len(self._peers) - len(self._dead)) // 2

    def _run(self):
        while self._running:
            for key, _ in self._selector.select(0.05):
                with self._lock:
                    if key.fileobj is self._listener:
                        self._accept()
                    elif key.fileobj in self._peers and key.fileobj not in self._dead:
                        self._forward(key.fileobj)

    def _accept(self):
        ours, _ = self._listener.accept()
        theirs = socket.create_connection(("127.0.0.1", self._target))
        for side, other in ((ours, theirs), (theirs, ours)):
            self._peers[side] = other
            self._selector.register(side, selectors.EVENT_READ)

    def _forward(self, side):
        other = self._peers[side]
        try:
            data = side.recv(1 << 16)
            if data:
                return other.sendall(data)
        except OSError:
            pass
        for each in (side, other):
            if each not in self._dead:
                self._selector.unregister(each)
            self._dead.discard(each)
            self._peers.pop(each, None)
            each.close()

    def close(self):
        self._running = False
        self._thread.join(10)
        for each in [self._listener, *self._peers]:
            each.close()
        self._selector.close()
