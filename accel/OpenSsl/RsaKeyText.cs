using System.Buffers;
using System.Buffers.Text;
using System.Formats.Asn1;
using WarpDrive.Linux;
using WarpDrive.OpenSsl.Native;

namespace WarpDrive.OpenSsl;

/// <summary>
/// Reads RSA keys out of PEM text: PKCS#8, encrypted PKCS#8, PKCS#1, and the latter in the older encrypted form. All that it makes of the text is in locked
/// memory and zeroed: OpenSSL's own decoders return memory that holds the key as it is.
/// </summary>
internal static unsafe class RsaKeyText
{
    private const string RsaEncryption = "1.2.840.113549.1.1.1";    // RFC 8017 A.1
    private const int NidRsaEncryption = 6;                         // obj_mac.h
    private const int MaxHeaderBytes = 256;

    private static ReadOnlySpan<byte> Dashes => "-----"u8;

    private static ReadOnlySpan<byte> HeaderBegin => "Proc-Type:"u8;

    /// <summary>Null for everything that OpenSSL has to look at: other keys, those of more than two primes, damaged ones, wrong passwords.</summary>
    /// <param name="block">From BEGIN to the end of its last line.</param>
    /// <param name="passwordCallback">A pem_password_cb.</param>
    /// <param name="state">For the callback, which also says what the password is.</param>
    /// <param name="password">UTF-8.</param>
    /// <exception cref="LinuxException">No memory.</exception>
    public static RsaPrivateNumbers? TryRead(
        ReadOnlySpan<byte> block, ReadOnlySpan<byte> password, delegate* unmanaged<byte*, int, int, void*, int> passwordCallback, void* state)
    {
        ReadOnlySpan<byte> rest = block["-----BEGIN ".Length..];
        ReadOnlySpan<byte> label = rest[..rest.IndexOf(Dashes)];
        rest = rest[(label.Length + Dashes.Length)..];
        int end = rest.IndexOf("-----END "u8);
        if (end <= 0 || end > SecretArena.ChunkBytes)
        {
            return null;
        }

        ReadOnlySpan<byte> body = rest[..end].TrimStart(" \t\r\n"u8);
        ReadOnlySpan<byte> header = [];
        if (body.StartsWith(HeaderBegin) && !TrySplit(body, out header, out body))
        {
            return null;
        }

        using SecretBlock memory = RsaPrivateNumbers.Secrets.Take(end);
        try
        {
            Span<byte> der = memory.GetSpan();
            if (Base64.DecodeFromUtf8(body, der, out _, out int length) != OperationStatus.Done)
            {
                return null;
            }

            der = der[..length];
            return header.IsEmpty
                ? label.SequenceEqual("PRIVATE KEY"u8) ? TryReadPkcs8(der)
                    : label.SequenceEqual("RSA PRIVATE KEY"u8) ? RsaPrivateNumbers.TryRead(der)
                    : label.SequenceEqual("ENCRYPTED PRIVATE KEY"u8) && !password.IsEmpty ? TryDecryptPkcs8(der, password)
                    : null
                : label.SequenceEqual("RSA PRIVATE KEY"u8) ? TryDecryptOlder(header, der, passwordCallback, state) : null;
        }
        finally
        {
            VectorRegisters.Clear();
            Libcrypto.ERR_clear_error();
        }
    }

    /// <summary>RFC 1421 4.4: lines of header, an empty line, the text.</summary>
    private static bool TrySplit(ReadOnlySpan<byte> body, out ReadOnlySpan<byte> header, out ReadOnlySpan<byte> text)
    {
        int end = body.IndexOf("\n\n"u8);
        int endOfWindows = body.IndexOf("\r\n\r\n"u8);
        end = end < 0 ? endOfWindows : end;
        header = end < 0 ? [] : body[..end];
        text = end < 0 ? [] : body[end..];
        return end >= 0;
    }

    /// <summary>RFC 5958 2.</summary>
    private static RsaPrivateNumbers? TryReadPkcs8(ReadOnlySpan<byte> der)
    {
        try
        {
            AsnDecoder.ReadSequence(der, AsnEncodingRules.BER, out int offset, out int length, out _);
            ReadOnlySpan<byte> content = der.Slice(offset, length);
            AsnDecoder.ReadIntegerBytes(content, AsnEncodingRules.BER, out int consumed);
            content = content[consumed..];
            AsnDecoder.ReadSequence(content, AsnEncodingRules.BER, out offset, out length, out consumed);
            string algorithm = AsnDecoder.ReadObjectIdentifier(content.Slice(offset, length), AsnEncodingRules.BER, out _);
            return algorithm == RsaEncryption && AsnDecoder.TryReadPrimitiveOctetString(content[consumed..], AsnEncodingRules.BER, out ReadOnlySpan<byte> key, out _)
                ? RsaPrivateNumbers.TryRead(key)
                : null;
        }
        catch (AsnContentException)
        {
            return null;
        }
    }

    private static RsaPrivateNumbers? TryDecryptPkcs8(ReadOnlySpan<byte> der, ReadOnlySpan<byte> password)
    {
        nint encrypted;
        fixed (byte* start = der)
        {
            byte* at = start;
            encrypted = Libcrypto.d2i_X509_SIG(null, &at, der.Length);
        }

        nint info = 0;
        try
        {
            fixed (byte* passwordBytes = password)
            {
                info = encrypted == 0 ? 0 : Libcrypto.PKCS8_decrypt(encrypted, passwordBytes, password.Length);
            }

            nint algorithm;
            byte* key;
            int length;
            return info != 0
                && Libcrypto.PKCS8_pkey_get0(&algorithm, &key, &length, null, info) == 1
                && Libcrypto.OBJ_obj2nid(algorithm) == NidRsaEncryption
                ? RsaPrivateNumbers.TryRead(new ReadOnlySpan<byte>(key, length))
                : null;
        }
        finally
        {
            // Zeroes the key.
            Libcrypto.PKCS8_PRIV_KEY_INFO_free(info);
            Libcrypto.X509_SIG_free(encrypted);
        }
    }

    private static RsaPrivateNumbers? TryDecryptOlder(
        ReadOnlySpan<byte> header, Span<byte> der, delegate* unmanaged<byte*, int, int, void*, int> passwordCallback, void* state)
    {
        if (header.Length >= MaxHeaderBytes)
        {
            return null;
        }

        // OpenSSL wants lines that end with a newline alone, and a zero after them.
        byte* text = stackalloc byte[MaxHeaderBytes + 2];
        int count = 0;
        foreach (byte one in header)
        {
            if (one != '\r')
            {
                text[count++] = one;
            }
        }

        text[count++] = (byte)'\n';
        text[count] = 0;
        CipherInfo cipher;
        nint length = der.Length;
        fixed (byte* bytes = der)
        {
            // In place.
            return Libcrypto.PEM_get_EVP_CIPHER_INFO(text, &cipher) == 1
                && Libcrypto.PEM_do_header(&cipher, bytes, &length, passwordCallback, state) == 1
                && length > 0 && length <= der.Length
                ? RsaPrivateNumbers.TryRead(der[..(int)length])
                : null;
        }
    }
}
