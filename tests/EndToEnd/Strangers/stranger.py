#!/usr/bin/python3
"""A whole RSA operation on the emulated accelerator, by somebody who knows vfio-user and HPRE and has read which control registers there are.

    python3 stranger.py SOCKET

Standard library only. The rings are mapped, the keys are in a memfd, doorbells are REGION_WRITEs without a reply, and completions are
found by looking. The key is made by the device itself, of two primes.
"""

import fcntl
import mmap
import os
import random
import socket
import struct
import sys
import time

VERSION, DMA_MAP, GET_REGION_INFO, REGION_READ, REGION_WRITE = 1, 2, 5, 9, 10
NO_REPLY = 0x10
DEPTH, BITS = 8, 2048
K, IOVA = BITS // 8, 0x4000_0000
KEY, INPUT, OUTPUT = 0, 0x1000, 0x2000  # in the memfd


class Device:
    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(60)
        self.socket.connect(path)
        self.id = 0
        reply, _ = self.ask(VERSION, struct.pack("<HH", 0, 0))
        assert reply[:4] == bytes(4) and reply[-1] == 0, reply

    def send(self, command, payload, descriptors=(), flags=0):
        self.id += 1
        message = struct.pack("<HHIII", self.id, command, 16 + len(payload), flags, 0) + payload
        assert socket.send_fds(self.socket, [message], descriptors) == len(message)

    def ask(self, command, payload, descriptors=()):
        self.send(command, payload, descriptors)
        header, received, _, _ = socket.recv_fds(self.socket, 16, 8)
        identity, answered, size, flags, error = struct.unpack("<HHIII", header)
        assert (identity, answered, flags, error) == (self.id, command, 1, 0), f"command {command}: flags {flags:#x}, errno {error}"
        payload = b""
        while len(payload) < size - 16:
            payload += self.socket.recv(size - 16 - len(payload))
        return payload, received

    def register(self, offset, value=None):
        if value is None:
            return struct.unpack("<I", self.ask(REGION_READ, struct.pack("<QII", offset, 2, 4))[0][16:])[0]
        self.ask(REGION_WRITE, struct.pack("<QIII", offset, 2, 4, value))

    def rings(self):
        needed = struct.unpack_from("<I", self.ask(GET_REGION_INFO, struct.pack("<IIIIQQ", 32, 0, 1, 0, 0, 0))[0])[0]
        reply, (descriptor,) = self.ask(GET_REGION_INFO, struct.pack("<IIIIQQ", needed, 0, 1, 0, 0, 0))
        return mmap.mmap(descriptor, struct.unpack_from("<Q", reply, 16)[0])

    def doorbell(self, queue, ring, index):
        word = queue | ring << 12 | index << 32
        self.send(REGION_WRITE, struct.pack("<QIIQ", 0x1000, 0, 8, word), flags=NO_REPLY)


def is_prime(number):
    return all(pow(random.randrange(2, number), number - 1, number) == 1 for _ in range(8))


def prime(bits):
    while True:
        number = random.getrandbits(bits) | 3 << (bits - 2) | 1
        if number % 65537 != 1 and all(number % small for small in range(3, 2000, 2)) and is_prime(number):
            return number


def main():
    device = Device(sys.argv[1])
    memfd = os.memfd_create("stranger", os.MFD_ALLOW_SEALING)
    os.ftruncate(memfd, 0x3000)
    fcntl.fcntl(memfd, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK)
    memory = mmap.mmap(memfd, 0x3000)
    device.ask(DMA_MAP, struct.pack("<IIQQQ", 32, 3, 0, IOVA, 0x3000), [memfd])
    rings, queue = device.rings(), device.register(0x24)
    device.register(0x1C, DEPTH)
    device.register(0x28, 1)

    def compute(number, algorithm, input_address):
        """One SQE, one doorbell, one CQE; returns the index of the next."""
        struct.pack_into("<IB3xQQQQ24x", rings, 64 * number, algorithm | 1 << 30, K // 8 - 1, IOVA + KEY, input_address, IOVA + OUTPUT, 1000 + number)
        device.doorbell(queue, 0, number + 1)
        completion, deadline = 64 * DEPTH + 16 * number, time.monotonic() + 60
        while rings[completion + 14] & 1 == 0:
            assert time.monotonic() < deadline, "no completion in a minute"
            time.sleep(0)
        assert struct.unpack_from("<HH", rings, completion + 8) == (number, queue)
        control, tag = struct.unpack_from("<I28xQ", rings, 64 * number)
        assert (control, tag) == (algorithm | 3 << 30, 1000 + number), f"control word {control:#x}, tag {tag}"
        device.doorbell(queue, 1, number + 1)

    p, q = prime(BITS // 2), prime(BITS // 2)
    memory[KEY:KEY + 2 * K] = (65537).to_bytes(K, "big") + p.to_bytes(K // 2, "big") + q.to_bytes(K // 2, "big")
    compute(0, 3, 0)
    made = memory[OUTPUT:OUTPUT + 7 * K // 2]
    d, n = int.from_bytes(made[:K], "big"), int.from_bytes(made[K:2 * K], "big")
    qinv, dq, dp = (made[start:start + K // 2] for start in (2 * K, 5 * K // 2, 3 * K))
    assert n == p * q and d * 65537 % (p - 1) == 1 and d * 65537 % (q - 1) == 1

    block = dq + dp + q.to_bytes(K // 2, "big") + p.to_bytes(K // 2, "big") + qinv
    memory[KEY:KEY + len(block)] = block
    message = random.randrange(n)
    memory[INPUT:INPUT + K] = pow(message, 65537, n).to_bytes(K, "big")
    compute(1, 1, IOVA + INPUT)
    assert int.from_bytes(memory[OUTPUT:OUTPUT + K], "big") == message
    print(f"queue {queue}: a key of {BITS} bits made and used, both right")


if __name__ == "__main__":
    main()
