using System.Security.Cryptography;
using System.Text;
using WarpProxy.Certificates;
using WarpProxy.Configuration;
using WarpProxy.Files;

namespace WarpProxy.Admin;

/// <summary>
/// What operators show to be let in: the token in a file, which is read again when that changes, and the cookie that browsers are given for it. Only hashes are
/// kept, and compared in constant time. Any thread.
/// </summary>
internal sealed class AdminToken
{
    /// <summary>The fewest characters that a token may have.</summary>
    public const int MinCharacters = 16;

    private const int MaxCharacters = 1024;

    private static readonly byte[] CookieLabel = "warpproxy: cookie of the admin listener"u8.ToArray();

    private readonly string _path;
    private readonly ILogger _logger;
    private volatile Accepted? _accepted;       // null before the file was read: nobody is let in

    /// <summary>Reads nothing yet.</summary>
    /// <param name="path">The file.</param>
    /// <param name="logger">Is told when it changes.</param>
    public AdminToken(string path, ILogger<AdminToken> logger)
    {
        _path = path;
        _logger = logger;
    }

    /// <summary>Reads the file.</summary>
    /// <exception cref="BadInputException">It has no token that can be used.</exception>
    public void Load() => _accepted = Read();

    /// <summary>Reads it again whenever it changes; one that cannot be used changes nothing.</summary>
    public void WatchIn(FileWatch files) => files.Watch("admin token", () => [_path], Reload);

    /// <summary>Cancelled when the token in force now is replaced by another.</summary>
    public CancellationToken Replaced => _accepted?.Replaced.Token ?? CancellationToken.None;

    /// <summary>Whether it is the token.</summary>
    public bool IsToken(string given) => _accepted is { } accepted && IsSame(given, accepted.TokenHash);

    /// <summary>Whether it is the cookie that was given for the token in force.</summary>
    public bool IsCookie(string given) => _accepted is { } accepted && IsSame(given, accepted.CookieHash);

    /// <summary>The cookie for a token, from which the token cannot be found. Another token has another one.</summary>
    public static string CookieFor(string token) => CookieFor(Encoding.UTF8.GetBytes(token));

    private static string CookieFor(ReadOnlySpan<byte> token) => Convert.ToHexStringLower(HMACSHA256.HashData(token, CookieLabel));

    // Hashes have one length, so that not even that of the token shows in the time.
    private static bool IsSame(string given, byte[] hash) => CryptographicOperations.FixedTimeEquals(SHA256.HashData(Encoding.UTF8.GetBytes(given)), hash);

    private void Reload()
    {
        Accepted read;
        try
        {
            read = Read();
        }
        catch (BadInputException refusal)
        {
            _logger.AdminTokenKept(refusal.Message);
            return;
        }

        if (!CryptographicOperations.FixedTimeEquals(read.TokenHash, _accepted?.TokenHash))
        {
            Accepted? old = _accepted;
            _accepted = read;
            _logger.AdminTokenChanged(_path);

            // Streams end elsewhere: this thread has other files to look at.
            _ = old?.Replaced.CancelAsync();
        }
    }

    private Accepted Read()
    {
        const string What = "Server:AdminTokenFile is";
        using PemFile file = PemFile.Read(_path, "Admin token file");
        ReadOnlySpan<byte> token = file.Bytes.Trim(" \t\r\n"u8);
        if (token.IndexOfAnyExceptInRange((byte)'!', (byte)'~') >= 0)
        {
            throw new BadInputException($"{What} '{_path}', whose token has a blank or a character that is not ASCII; it must be one line of letters, digits and signs.");
        }

        return token.Length is >= MinCharacters and <= MaxCharacters
            ? new Accepted(SHA256.HashData(token), SHA256.HashData(Encoding.ASCII.GetBytes(CookieFor(token))))
            : throw new BadInputException($"{What} '{_path}', whose token has {token.Length} characters; it must have {MinCharacters} to {MaxCharacters}.");
    }

    private sealed record Accepted(byte[] TokenHash, byte[] CookieHash)
    {
        // Without a timer there is nothing to be disposed of.
        public CancellationTokenSource Replaced { get; } = new();
    }
}
