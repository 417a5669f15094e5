using System.Runtime.InteropServices;
using System.Security.Cryptography;
using WarpDrive.Linux;
using WarpDrive.OpenSsl.Native;
using WarpDrive.OpenSsl.Provider;

namespace WarpDrive.OpenSsl.Tls;

/// <summary>
/// The keys of session tickets, in the order of their time: one encrypts, those before it decrypt what they encrypted earlier, those after it
/// decrypt what other servers encrypt. It never changes; <see cref="TlsTicketKeyRing"/> goes from one set to the next. Any thread.
/// </summary>
/// <remarks>
/// The keys lie in memory that is locked and not dumped, which is zeroed and given back when this object is disposed and the last handshake
/// that uses them has left. Tickets are made as RFC 5077 4 recommends, with AES-256-CBC and HMAC-SHA-256.
/// </remarks>
public sealed unsafe class TlsTicketKeys : IDisposable
{
    /// <summary>Bytes of one key: 16 of its name, which tickets show; 32 for HMAC; 32 for AES.</summary>
    public const int KeyBytes = NameBytes + (2 * SecretBytes);

    /// <summary>Bytes of a name.</summary>
    public const int NameBytes = 16;

    /// <summary>The most keys in a set.</summary>
    public const int MaxCount = 16;

    private const int SecretBytes = 32;
    private const int IvBytes = 16;     // of AES

    private static readonly Lazy<nint> Aes = new(FetchAes);

    // Never freed: the sets point to them.
    private static readonly byte* KeyParameter = (byte*)Marshal.StringToCoTaskMemUTF8("key");
    private static readonly byte* DigestParameter = (byte*)Marshal.StringToCoTaskMemUTF8("digest");
    private static readonly byte* DigestName = (byte*)Marshal.StringToCoTaskMemUTF8("SHA256");

    private readonly nint _aes = Aes.Value;     // EVP_CIPHER; here, where no exception meets libssl
    private readonly MappedMemory _memory;
    private readonly Key* _keys;
    private readonly int _encrypting;
    private HolderCount _holders = new();       // this object, until it is disposed, and the handshakes that use it now
    private int _isDisposed;

    /// <summary>Makes a set.</summary>
    /// <param name="keys">One to <see cref="MaxCount"/> of <see cref="KeyBytes"/> each, the oldest first. Secret: the caller zeroes it.</param>
    /// <param name="encrypting">Which of them encrypts, from 0.</param>
    /// <exception cref="ArgumentException">Two have the same name.</exception>
    /// <exception cref="LinuxException">No memory.</exception>
    public TlsTicketKeys(ReadOnlySpan<byte> keys, int encrypting)
    {
        Count = keys.Length / KeyBytes;
        ArgumentOutOfRangeException.ThrowIfNotEqual(keys.Length, Count * KeyBytes, nameof(keys));
        ArgumentOutOfRangeException.ThrowIfLessThan(Count, 1, nameof(keys));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(Count, MaxCount, nameof(keys));
        ArgumentOutOfRangeException.ThrowIfNegative(encrypting);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(encrypting, Count);
        _encrypting = encrypting;
        _memory = MappedMemory.AllocateSecret(Count * sizeof(Key));
        _keys = (Key*)_memory.Address;
        for (int i = 0; i < Count; i++)
        {
            Set(_keys + i, keys.Slice(i * KeyBytes, KeyBytes));
            int first = Find(_keys[i].Name);
            if (first != i)
            {
                Dispose();
                throw new ArgumentException($"Ticket keys {first} and {i} have the same name.", nameof(keys));
            }
        }
    }

    /// <summary>The last resort, when nobody disposes.</summary>
    ~TlsTicketKeys()
    {
        Free();
    }

    /// <summary>How many keys there are.</summary>
    public int Count { get; }

    /// <summary>The name of the key that encrypts, which tickets show, in hexadecimal.</summary>
    /// <exception cref="ObjectDisposedException">The set is disposed.</exception>
    public string EncryptingName => Use(static keys => Convert.ToHexStringLower(NameOf(keys._keys + keys._encrypting)));

    /// <summary>Whether the pages of the keys are locked in memory.</summary>
    internal bool IsLocked => _memory.IsLocked;

    /// <summary>Where the keys lie.</summary>
    internal ReadOnlySpan<byte> Memory => _memory.GetSpan();

    /// <summary>A set of one random key.</summary>
    /// <exception cref="LinuxException">No memory.</exception>
    public static TlsTicketKeys CreateRandom() => Create([]);

    /// <summary>A set of a random key that encrypts, and before it the key that encrypts here.</summary>
    /// <exception cref="ObjectDisposedException">The set is disposed.</exception>
    /// <exception cref="LinuxException">No memory.</exception>
    public TlsTicketKeys CreateNext() => Use(static keys => Create(new ReadOnlySpan<byte>(keys._keys[keys._encrypting].Name, KeyBytes)));

    /// <summary>Whether the other set has the same keys in the same order, and the same one encrypts.</summary>
    /// <exception cref="ObjectDisposedException">One of them is disposed.</exception>
    public bool IsSameAs(TlsTicketKeys other)
    {
        ArgumentNullException.ThrowIfNull(other);
        return Use(keys => other.Use(others => keys.HasKeysOf(others)));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        GC.SuppressFinalize(this);
        if (Interlocked.Exchange(ref _isDisposed, 1) == 0)
        {
            Release();
        }
    }

    /// <summary>Keeps the keys until <see cref="Release"/>. False when they are gone, or about to go.</summary>
    internal bool TryHold() => _holders.TryEnter();

    /// <summary>Once for each <see cref="TryHold"/> that was true.</summary>
    internal void Release()
    {
        if (_holders.Leave())
        {
            Free();
        }
    }

    /// <summary>Sets up the encryption of a ticket: writes 16 bytes each of name and iv. Called by a holder.</summary>
    internal bool TryEncrypt(byte* name, byte* iv, nint cipher, nint mac)
    {
        Key* key = _keys + _encrypting;
        NameOf(key).CopyTo(new Span<byte>(name, NameBytes));
        return Libcrypto.RAND_bytes(iv, IvBytes) == 1
            && Libcrypto.EVP_EncryptInit_ex2(cipher, _aes, key->Aes, iv, null) == 1
            && Libcrypto.EVP_MAC_CTX_set_params(mac, &key->MacKey) == 1;
    }

    /// <summary>Sets up the decryption of a ticket that was encrypted by the key of this name; nothing when there is none. Called by a holder.</summary>
    /// <returns>False when OpenSSL failed.</returns>
    internal bool TryDecrypt(byte* name, byte* iv, nint cipher, nint mac, out TlsTicketKeyUse use)
    {
        int index = Find(name);
        use = index < 0 ? TlsTicketKeyUse.Unknown
            : index < _encrypting ? TlsTicketKeyUse.Old
            : index == _encrypting ? TlsTicketKeyUse.Current
            : TlsTicketKeyUse.Next;
        return index < 0
            || (Libcrypto.EVP_DecryptInit_ex2(cipher, _aes, _keys[index].Aes, iv, null) == 1
                && Libcrypto.EVP_MAC_CTX_set_params(mac, &_keys[index].MacKey) == 1);
    }

    private static TlsTicketKeys Create(ReadOnlySpan<byte> earlier)
    {
        // Pinned, so that the garbage collector leaves no copy behind.
        byte[] keys = GC.AllocateUninitializedArray<byte>(earlier.Length + KeyBytes, pinned: true);
        try
        {
            earlier.CopyTo(keys);
            RandomNumberGenerator.Fill(keys.AsSpan(earlier.Length));
            return new TlsTicketKeys(keys, earlier.Length / KeyBytes);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(keys);
        }
    }

    private static nint FetchAes()
    {
        // Never freed: contexts in use may have it until the end of the process.
        nint cipher = Libcrypto.EVP_CIPHER_fetch(WarpProvider.Library, "AES-256-CBC", null);
        SslContextHandle.Require(cipher != 0, "OpenSSL has no AES-256-CBC for session tickets");
        return cipher;
    }

    private static ReadOnlySpan<byte> NameOf(Key* key) => new(key->Name, NameBytes);

    /// <summary>Writes a key, and the parameters that point to it.</summary>
    private static void Set(Key* key, ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(new Span<byte>(key->Name, KeyBytes));
        key->MacKey = new OsslParam { Key = KeyParameter, Type = OsslParam.OctetString, Data = key->Hmac, DataSize = SecretBytes };
        key->MacDigest = new OsslParam { Key = DigestParameter, Type = OsslParam.Utf8String, Data = DigestName, DataSize = (nuint)"SHA256".Length };
        key->MacEnd = default;
    }

    private T Use<T>(Func<TlsTicketKeys, T> read)
    {
        ObjectDisposedException.ThrowIf(!TryHold(), this);
        try
        {
            return read(this);
        }
        finally
        {
            Release();
        }
    }

    private bool HasKeysOf(TlsTicketKeys other)
    {
        bool isSame = Count == other.Count && _encrypting == other._encrypting;
        for (int i = 0; isSame && i < Count; i++)
        {
            isSame = CryptographicOperations.FixedTimeEquals(
                new ReadOnlySpan<byte>(_keys[i].Name, KeyBytes), new ReadOnlySpan<byte>(other._keys[i].Name, KeyBytes));
        }

        return isSame;
    }

    /// <summary>-1 for none. Names are no secret.</summary>
    private int Find(byte* name)
    {
        for (int i = 0; i < Count; i++)
        {
            if (NameOf(_keys + i).SequenceEqual(new ReadOnlySpan<byte>(name, NameBytes)))
            {
                return i;
            }
        }

        return -1;
    }

    private void Free()
    {
        if (_memory is not null)
        {
            CryptographicOperations.ZeroMemory(_memory.GetSpan());
            _memory.Dispose();
        }
    }

    /// <summary>One key as files have it, and behind it the parameters, made once, with which OpenSSL takes it for HMAC.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct Key
    {
        public fixed byte Name[NameBytes];
        public fixed byte Hmac[SecretBytes];
        public fixed byte Aes[SecretBytes];
        public OsslParam MacKey;
        public OsslParam MacDigest;
        public OsslParam MacEnd;
    }
}
