using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using WarpDrive.OpenSsl.Native;

namespace WarpDrive.OpenSsl;

/// <summary>
/// Reads private keys from PEM text: PKCS#8, encrypted PKCS#8, PKCS#1 and SEC 1, the latter two also in the older
/// encrypted form (Proc-Type, DEK-Info). An RSA key of two primes exists in the caller's text and in locked memory only, and OpenSSL decrypts but does not
/// read it; other keys are OpenSSL's.
/// </summary>
public static unsafe class PrivateKeyPem
{
    /// <summary>The longest password: PEM_BUFSIZE of OpenSSL's pem.h.</summary>
    public const int MaxPasswordBytes = 1024;

    private static ReadOnlySpan<byte> BeginMarker => "-----BEGIN "u8;

    private static ReadOnlySpan<byte> Dashes => "-----"u8;

    /// <summary>Reads the first private key; other blocks, such as certificates, are skipped. Never asks on a terminal.</summary>
    /// <param name="pem">The text of the file. The caller zeroes it.</param>
    /// <param name="password">UTF-8, or empty for none. The caller zeroes it.</param>
    /// <exception cref="OpenSslException">It cannot be read; the message says why.</exception>
    public static PrivateKey Load(ReadOnlySpan<byte> pem, ReadOnlySpan<byte> password)
    {
        Libcrypto.RequireSameAsRuntime();
        if (password.Length > MaxPasswordBytes)
        {
            throw new OpenSslException(
                OpenSslError.WrongPassword, $"The password is {password.Length} bytes long; at most {MaxPasswordBytes} are allowed.");
        }

        ReadOnlySpan<byte> block = FindPrivateKey(pem);
        fixed (byte* blockBytes = block, passwordBytes = password)
        {
            Password state = new() { Bytes = passwordBytes, Length = password.Length };

            // What somebody left on this thread would be told as the reason of a refusal.
            Libcrypto.ERR_clear_error();
            if (RsaKeyText.TryRead(block, password, &GivePassword, &state) is { } numbers)
            {
                return new PrivateKey(numbers);
            }

            nint bio = Libcrypto.BIO_new_mem_buf(blockBytes, block.Length);
            nint key = bio == 0 ? 0 : Libcrypto.PEM_read_bio_PrivateKey_ex(bio, null, &GivePassword, &state, 0, null);
            _ = Libcrypto.BIO_free(bio);
            if (key == 0)
            {
                throw Refusal(state);
            }

            // A decoder that failed before the one that did not leaves its errors behind.
            Libcrypto.ERR_clear_error();
            return RequireSupported(new SafeEvpPKeyHandle(key, ownsHandle: true));
        }
    }

    /// <summary>The block with the key alone, so that OpenSSL never tries what stands before it.</summary>
    private static ReadOnlySpan<byte> FindPrivateKey(ReadOnlySpan<byte> pem)
    {
        ReadOnlySpan<byte> rest = pem;
        int begin;
        while ((begin = rest.IndexOf(BeginMarker)) >= 0)
        {
            ReadOnlySpan<byte> block = rest[begin..];
            rest = block[BeginMarker.Length..];
            int labelEnd = rest.IndexOf(Dashes);
            if (labelEnd < 0 || !rest[..labelEnd].EndsWith("PRIVATE KEY"u8))
            {
                continue;
            }

            ReadOnlySpan<byte> label = rest[..labelEnd];
            if (!IsReadable(label))
            {
                string shown = label.Length <= 40 ? $"{Encoding.ASCII.GetString(label)}" : "block with a long label";
                throw new OpenSslException(
                    OpenSslError.UnsupportedKey,
                    $"The PEM text holds a {shown}; PRIVATE KEY, ENCRYPTED PRIVATE KEY, RSA PRIVATE KEY and EC PRIVATE KEY are supported.");
            }

            // To the end of its last line, or of the text when that line is missing; OpenSSL then refuses it.
            int end = rest.IndexOf("-----END "u8);
            int next = end < 0 ? -1 : rest[end..].IndexOf((byte)'\n');
            return next < 0 ? block : block[..(BeginMarker.Length + end + next + 1)];
        }

        throw new OpenSslException(OpenSslError.NoPrivateKey, $"The PEM text of {pem.Length} bytes holds no private key.");
    }

    private static bool IsReadable(ReadOnlySpan<byte> label) =>
        label.SequenceEqual("PRIVATE KEY"u8)
        || label.SequenceEqual("ENCRYPTED PRIVATE KEY"u8)
        || label.SequenceEqual("RSA PRIVATE KEY"u8)
        || label.SequenceEqual("EC PRIVATE KEY"u8);

    private static OpenSslException Refusal(in Password password)
    {
        string reason = Libcrypto.TakeErrors(out bool isUnsupportedAlgorithm);
        if (password.WasAskedFor && password.Length == 0)
        {
            return new(OpenSslError.PasswordNeeded, "The private key is encrypted and no password was given.");
        }

        if (isUnsupportedAlgorithm)
        {
            return new(OpenSslError.UnsupportedKey, $"The private key is of a type or encrypted in a way that OpenSSL does not support: {reason}.");
        }

        return password.WasAskedFor
            ? new(OpenSslError.WrongPassword, "The private key is encrypted with another password, or damaged.")
            : new(OpenSslError.DamagedKey, $"The private key cannot be read: {reason}.");
    }

    private static PrivateKey RequireSupported(SafeEvpPKeyHandle handle)
    {
        string type = Marshal.PtrToStringUTF8((nint)Libcrypto.EVP_PKEY_get0_type_name(handle)) ?? "unknown";
        switch (type)
        {
            case "RSA":
                return new PrivateKey(handle, PrivateKeyType.Rsa);
            case "EC":
                return new PrivateKey(handle, PrivateKeyType.Ec);
            default:
                handle.Dispose();
                throw new OpenSslException(OpenSslError.UnsupportedKey, $"The private key is of type {type}; RSA and EC are supported.");
        }
    }

    // pem_password_cb: returns the length of the password, or -1 to give up. Its presence keeps OpenSSL from asking on the terminal.
    [UnmanagedCallersOnly]
    private static int GivePassword(byte* buffer, int size, int isWriting, void* state)
    {
        Password* password = (Password*)state;
        password->WasAskedFor = true;
        if (password->Length == 0 || password->Length > size)
        {
            return -1;
        }

        new ReadOnlySpan<byte>(password->Bytes, password->Length).CopyTo(new Span<byte>(buffer, size));
        return password->Length;
    }

    private struct Password
    {
        public byte* Bytes;
        public int Length;
        public bool WasAskedFor;
    }
}
