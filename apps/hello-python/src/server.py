import argparse
import os
from http.server import BaseHTTPRequestHandler, HTTPServer

from greeting import greet


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        body = greet(os.environ.get("GREETING", "Hello"), self.path).encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=8080)
    server = HTTPServer(("0.0.0.0", parser.parse_args().port), Handler)
    print(f"Listening on port {server.server_port}", flush=True)
    server.serve_forever()
