"""RSA keys for tests, and their key blocks (accel/README.md, "SQE"). Too careless for keys that must stay secret."""

import math
import random
from dataclasses import dataclass, field
from enum import IntEnum

PUBLIC_EXPONENT = 65537
SIEVE_LIMIT = 1 << 16
SIEVE_WINDOW = 1 << 13
MILLER_RABIN_ROUNDS = 5  # FIPS 186-5 table B.1 asks for fewer at these sizes


class Algorithm(IntEnum):
    PLAIN = 0
    CRT = 1


@dataclass(frozen=True)
class RsaKey:
    p: int
    q: int
    n: int = field(init=False)
    d: int = field(init=False)

    def __post_init__(self):
        object.__setattr__(self, "n", self.p * self.q)
        object.__setattr__(self, "d", pow(PUBLIC_EXPONENT, -1, (self.p - 1) * (self.q - 1)))

    @property
    def size(self) -> int:
        """Bytes of the modulus: k in the datasheet."""
        return self.n.bit_length() // 8

    def encrypt(self, message: int) -> int:
        """The cheap direction: the private-key operation on the result gives the message again, and only it."""
        return pow(message, PUBLIC_EXPONENT, self.n)

    def decrypt(self, cipher: int) -> int:
        return pow(cipher, self.d, self.n)

    def block(self, algorithm: Algorithm) -> bytes:
        return self.plain_block() if algorithm == Algorithm.PLAIN else self.crt_block()

    def plain_block(self) -> bytes:
        return b"".join(number.to_bytes(self.size, "big") for number in (self.d, self.n))

    def crt_block(self) -> bytes:
        dq, dp, qinv = self.d % (self.q - 1), self.d % (self.p - 1), pow(self.q, -1, self.p)
        return b"".join(number.to_bytes(self.size // 2, "big") for number in (dq, dp, self.q, self.p, qinv))

    def primes_block(self) -> bytes:
        """What key generation takes."""
        return PUBLIC_EXPONENT.to_bytes(self.size, "big") + b"".join(number.to_bytes(self.size // 2, "big") for number in (self.p, self.q))

    def made_block(self) -> bytes:
        """What it answers; algorithm 2 without the last three numbers."""
        order = (self.p - 1) * (self.q - 1)
        if self.size >= 256:
            order //= math.gcd(self.p - 1, self.q - 1)
        dq, dp, qinv = self.d % (self.q - 1), self.d % (self.p - 1), pow(self.q, -1, self.p)
        return b"".join(
            [number.to_bytes(self.size, "big") for number in (self.d % order, self.n)]
            + [number.to_bytes(self.size // 2, "big") for number in (qinv, dq, dp)])


def generate_key(bits: int, rng: random.Random) -> RsaKey:
    p = generate_prime(bits // 2, rng)
    q = generate_prime(bits // 2, rng)
    while q == p:
        q = generate_prime(bits // 2, rng)
    return RsaKey(p, q)


def generate_prime(bits: int, rng: random.Random) -> int:
    """A prime with its two highest bits set, so that the product of two has exactly twice its bits."""
    while True:
        start = rng.getrandbits(bits) | 3 << (bits - 2) | 1
        for candidate in sieved(start):
            # p - 1 and e need a common divisor of 1 only; e is prime.
            if candidate.bit_length() == bits and candidate % PUBLIC_EXPONENT != 1 and is_prime(candidate, rng):
                return candidate


def sieved(start: int):
    """The odd numbers from start on, for one window, that no small prime divides: about one in ten."""
    composite = bytearray(SIEVE_WINDOW)  # entry i stands for start + 2 * i
    for prime in SMALL_PRIMES:
        first = (-start * ((prime + 1) // 2)) % prime  # start + 2 * first = 0 mod prime; (prime + 1) / 2 is 1 / 2
        composite[first::prime] = b"\1" * len(range(first, SIEVE_WINDOW, prime))
    return (start + 2 * i for i in range(SIEVE_WINDOW) if not composite[i])


def is_prime(candidate: int, rng: random.Random) -> bool:
    """Miller-Rabin, for odd candidates."""
    twos = ((candidate - 1) & (1 - candidate)).bit_length() - 1
    odd = (candidate - 1) >> twos
    return all(is_probable_prime(candidate, odd, twos, rng.randrange(2, candidate - 1)) for _ in range(MILLER_RABIN_ROUNDS))


def is_probable_prime(candidate: int, odd: int, twos: int, base: int) -> bool:
    power = pow(base, odd, candidate)
    if power in (1, candidate - 1):
        return True
    for _ in range(twos - 1):
        power = power * power % candidate
        if power == candidate - 1:
            return True
    return False


def odd_primes_below(limit: int) -> list[int]:
    prime = bytearray([1]) * limit
    for i in range(3, int(limit**0.5) + 1, 2):
        if prime[i]:
            prime[i * i :: 2 * i] = bytes(len(range(i * i, limit, 2 * i)))
    return [i for i in range(3, limit, 2) if prime[i]]


SMALL_PRIMES = odd_primes_below(SIEVE_LIMIT)
