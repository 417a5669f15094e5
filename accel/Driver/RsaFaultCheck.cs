namespace WarpDrive.Driver;

/// <summary>
/// Decides whether <paramref name="result"/> is input^d mod n, by result^e mod n == input (Boneh, DeMillo, Lipton 1997; Lenstra).
/// A wrong CRT result given to anybody reveals the primes, so no result leaves without it.
/// </summary>
/// <param name="input">The operation's input, modulus-sized, big-endian.</param>
/// <param name="result">What the device returned, modulus-sized, big-endian. Not to be trusted: it may be n or more.</param>
/// <returns>Whether the result is right. Called on the thread of the operation; allocates nothing.</returns>
public delegate bool RsaFaultCheck(ReadOnlySpan<byte> input, ReadOnlySpan<byte> result);
