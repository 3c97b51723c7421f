"""A client with one connection that is kept, for waits that must not cost the server a connection each."""
import http.client
import json


class Client:
    def __init__(self, port, key=None):
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        self._headers = {"X-API-Key": key} if key else {}

    def request(self, method, path, body=None):
        """(status, headers, bytes)"""
        for last_try in (False, True):
            try:
                self._connection.request(method, path, body=body, headers=self._headers)
                response = self._connection.getresponse()
                return response.status, response.headers, response.read()
            except (http.client.RemoteDisconnected, ConnectionError):
                # The server closes a connection that idles; the next one is as good. A write is not said twice.
                self._connection.close()
                if last_try or method != "GET":
                    raise
        raise AssertionError("unreachable")

    def json(self, path):
        status, _, body = self.request("GET", path)
        return json.loads(body) if status == 200 else None

    def post(self, path, value):
        self._connection.close()  # so that the server cannot have closed it
        status, _, body = self.request("POST", path, json.dumps(value))
        if status != 202:
            raise RuntimeError(f"POST {path} answered {status}: {body[:300]!r}")
        return json.loads(body)
