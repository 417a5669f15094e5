using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using WarpDrive.Driver;
using WarpDrive.OpenSsl;
using WarpDrive.OpenSsl.Native;
using WarpDrive.OpenSsl.Provider;

namespace WarpProxy.Tests.Unit.OpenSsl;

/// <summary>The provider through libcrypto's own interface, as libssl uses it. One collection: its live handles are counted.</summary>
[Collection(Name)]
public sealed unsafe partial class ProviderTests
{
    public const string Name = "OpenSSL provider";

    private const string C = "libcrypto.so.3";
    private const int RsaPkcs1WithTlsPadding = 7;

    public static string NameOf(RSA rsa)
    {
        using SafeEvpPKeyHandle handle = ((RSAOpenSsl)rsa).DuplicateKeyHandle();
        return Marshal.PtrToStringUTF8((nint)Libcrypto.OSSL_PROVIDER_get0_name(Libcrypto.EVP_PKEY_get0_provider(handle)))!;
    }

    [Fact]
    public void One_shot_signature_of_a_message_allocates_nothing_once_warm()
    {
        using OffloadedRsaKey key = new(TestKeys.Software(1024), null, new OperationCounters());
        using SafeEvpPKeyHandle handle = WarpProvider.CreateKey(key);
        byte[] message = new byte[130];
        byte[] signature = new byte[128];
        for (int i = 0; i < 200; i++)
        {
            Sign(handle, message, signature);
        }

        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 1000; i++)
        {
            Sign(handle, message, signature);
        }

        // The thread may move to a processor whose slot is empty and find the context elsewhere, but it makes no other.
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.True(TestKeys.Rsa(1024).VerifyData(message, signature, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1));
    }

    [Fact]
    public void Right_premaster_is_decrypted()
    {
        byte[] premaster = Premaster();

        Assert.Equal(premaster, Decrypt(2048, Encrypted(2048, premaster), 0x0303)!);
    }

    [Fact]
    public void Malformed_premasters_give_48_other_bytes_that_differ_each_time()
    {
        byte[] premaster = Premaster();
        byte[] wrongVersion = Premaster();
        wrongVersion[1] = 1;
        byte[][] ciphertexts =
        [
            Encrypted(2048, premaster[..47]),
            Encrypted(2048, [.. premaster, 0x55]),
            Encrypted(2048, wrongVersion),
            Encrypted(2048, []),
            [.. new byte[255], 2],
            new byte[256],
        ];
        foreach (byte[] ciphertext in ciphertexts)
        {
            byte[]? first = Decrypt(2048, ciphertext, 0x0303);
            byte[]? second = Decrypt(2048, ciphertext, 0x0303);

            Assert.Equal(48, first!.Length);
            Assert.NotEqual(premaster, first);
            Assert.NotEqual(first, second);
        }
    }

    [Fact]
    public void Premaster_of_the_negotiated_version_is_taken_only_when_OpenSSL_says_so()
    {
        byte[] premaster = Premaster();
        premaster[1] = 2;
        byte[] ciphertext = Encrypted(2048, premaster);

        Assert.NotEqual(premaster, Decrypt(2048, ciphertext, 0x0303)!);
        Assert.Equal(premaster, Decrypt(2048, ciphertext, 0x0303, 0x0302)!);
    }

    [Fact]
    public void Ciphertext_of_the_wrong_size_or_not_below_the_modulus_fails()
    {
        Assert.Null(Decrypt(2048, new byte[255], 0x0303));
        Assert.Null(Decrypt(2048, new byte[257], 0x0303));
        Assert.Null(Decrypt(2048, TestKeys.Rsa(2048).ExportParameters(false).Modulus!, 0x0303));
    }

    [Fact]
    public void Decryption_without_a_client_version_or_with_other_padding_fails()
    {
        byte[] ciphertext = Encrypted(2048, Premaster());

        Assert.Null(Decrypt(2048, ciphertext, 0));
        Assert.Null(Decrypt(2048, ciphertext, 0x0303, 0, padding: 1));
        Assert.Null(Decrypt(2048, ciphertext, 0x0303, 0, padding: 3));
        Assert.Null(Decrypt(2048, ciphertext, 0x0303, 0, padding: null));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Premaster_is_decrypted_by_the_device_or_in_software_when_the_fault_check_refuses_its_result(bool isWrong)
    {
        byte[] premaster = Premaster();
        OperationCounters counters = new();
        using SoftwareRsaKey device = TestKeys.Software(2048);
        using OffloadedRsaKey key = new(TestKeys.Software(2048), counters, (input, output) =>
        {
            device.Private(input, output);
            output[200] ^= (byte)(isWrong ? 1 : 0);
            return device.CheckResult(input, output) ? AcceleratorError.None : AcceleratorError.WrongResult;
        });

        Assert.Equal(premaster, Decrypt(key, Encrypted(2048, premaster), 0x0303)!);

        OperationCounts counts = counters.Snapshot();
        Assert.Equal(isWrong ? 0 : 1, counts.Device);
        Assert.Equal(isWrong ? 1 : 0, counts.Fallback[AcceleratorError.WrongResult]);
        Assert.Equal(isWrong ? 1 : 0, counts.Fallback.Values.Sum());
    }

    [Fact]
    public void Wrong_device_result_that_nobody_checks_gives_48_random_bytes_and_no_error()
    {
        byte[] premaster = Premaster();
        using OffloadedRsaKey key = new(TestKeys.Software(2048), new OperationCounters(), (input, output) =>
        {
            input.CopyTo(output);
            return AcceleratorError.None;
        });

        byte[]? decrypted = Decrypt(key, Encrypted(2048, premaster), 0x0303);

        Assert.Equal(48, decrypted!.Length);
        Assert.NotEqual(premaster, decrypted);
    }

    [Theory]
    [InlineData("pad-mode", 3)]
    [InlineData("pad-mode", 4)]
    [InlineData("pad-mode", 0)]
    [InlineData("saltlen", -4)]
    [InlineData("saltlen", int.MinValue)]
    public void Refused_parameter_of_a_signature_leaves_the_one_before(string name, int value)
    {
        using OffloadedRsaKey key = new(TestKeys.Software(1024), null, new OperationCounters());
        using SafeEvpPKeyHandle handle = WarpProvider.CreateKey(key);
        using RSA verifier = TestKeys.Certificate(1024).GetRSAPublicKey()!;
        byte[] hash = new byte[32];
        byte[] signature = new byte[128];
        nuint length = 128;
        nint context = Libcrypto.EVP_PKEY_CTX_new_from_pkey(0, handle, null);
        Assert.Equal(1, Libcrypto.EVP_PKEY_sign_init(context));

        Assert.Equal(1, SetText(context, "digest"u8, "SHA256\0"u8));
        Assert.Equal(1, SetText(context, "pad-mode"u8, "pss\0"u8));
        Assert.Equal(1, SetText(context, "saltlen"u8, "digest\0"u8));
        Assert.NotEqual(1, SetInteger(context, Encoding.ASCII.GetBytes(name), value));
        Assert.NotEqual(1, SetText(context, Encoding.ASCII.GetBytes(name), "nonsense\0"u8));
        fixed (byte* input = hash, output = signature)
        {
            Assert.Equal(1, EVP_PKEY_sign(context, output, &length, input, 32));
        }

        Libcrypto.EVP_PKEY_CTX_free(context);
        Libcrypto.ERR_clear_error();

        // .NET takes a salt as long as the digest, and no other.
        Assert.True(verifier.VerifyHash(hash, signature, HashAlgorithmName.SHA256, RSASignaturePadding.Pss));
    }

    private static byte[] Premaster() => [3, 3, .. Enumerable.Range(1, 46).Select(value => (byte)value)];

    private static byte[] Encrypted(int bits, byte[] plaintext) => TestKeys.Rsa(bits).Encrypt(plaintext, RSAEncryptionPadding.Pkcs1);

    private static byte[]? Decrypt(int bits, byte[] ciphertext, uint clientVersion, uint negotiatedVersion = 0, int? padding = RsaPkcs1WithTlsPadding)
    {
        using OffloadedRsaKey key = new(TestKeys.Software(bits), null, new OperationCounters());
        return Decrypt(key, ciphertext, clientVersion, negotiatedVersion, padding);
    }

    private static byte[]? Decrypt(
        OffloadedRsaKey key, byte[] ciphertext, uint clientVersion, uint negotiatedVersion = 0, int? padding = RsaPkcs1WithTlsPadding)
    {
        int before = LiveHandles.Settled();
        byte[] premaster = new byte[64];
        nuint length = 64;
        bool isDecrypted;
        using (SafeEvpPKeyHandle handle = WarpProvider.CreateKey(key))
        {
            nint context = Libcrypto.EVP_PKEY_CTX_new_from_pkey(0, handle, null);
            fixed (byte* clientName = "tls-client-version\0"u8, negotiatedName = "tls-negotiated-version\0"u8, input = ciphertext, output = premaster)
            {
                OsslParam* parameters = stackalloc OsslParam[3];
                parameters[0] = new() { Key = clientName, Type = OsslParam.UnsignedInteger, Data = &clientVersion, DataSize = 4 };
                parameters[1] = new() { Key = negotiatedName, Type = OsslParam.UnsignedInteger, Data = &negotiatedVersion, DataSize = 4 };
                parameters[2] = default;
                isDecrypted = EVP_PKEY_decrypt_init(context) == 1
                    && (padding is null || Libcrypto.EVP_PKEY_CTX_set_rsa_padding(context, padding.Value) == 1)
                    && EVP_PKEY_CTX_set_params(context, parameters) == 1
                    && EVP_PKEY_decrypt(context, output, &length, input, (nuint)ciphertext.Length) == 1;
            }

            Libcrypto.EVP_PKEY_CTX_free(context);
        }

        Libcrypto.ERR_clear_error();
        Assert.Equal(before, ProviderHandle.Live);
        return isDecrypted ? premaster[..(int)length] : null;
    }

    private static void Sign(SafeEvpPKeyHandle key, byte[] message, byte[] signature)
    {
        nint context = EVP_MD_CTX_new();
        nuint length = (nuint)signature.Length;
        int result;
        fixed (byte* digest = "SHA2-256\0"u8, input = message, output = signature)
        {
            result = EVP_DigestSignInit_ex(context, null, digest, 0, null, key, null);
            result = result == 1 ? EVP_DigestSign(context, output, &length, input, (nuint)message.Length) : result;
        }

        EVP_MD_CTX_free(context);
        Assert.True(result == 1 && length == (nuint)signature.Length);
    }

    private static int SetText(nint context, ReadOnlySpan<byte> name, ReadOnlySpan<byte> text)
    {
        byte[] key = [.. name, 0];
        fixed (byte* keyBytes = key, value = text)
        {
            return Set(context, new() { Key = keyBytes, Type = OsslParam.Utf8String, Data = value, DataSize = (nuint)text.Length - 1 });
        }
    }

    private static int SetInteger(nint context, ReadOnlySpan<byte> name, int value)
    {
        byte[] key = [.. name, 0];
        fixed (byte* keyBytes = key)
        {
            return Set(context, new() { Key = keyBytes, Type = OsslParam.Integer, Data = &value, DataSize = sizeof(int) });
        }
    }

    private static int Set(nint context, OsslParam parameter)
    {
        OsslParam* parameters = stackalloc OsslParam[2];
        parameters[0] = parameter;
        parameters[1] = default;
        return EVP_PKEY_CTX_set_params(context, parameters);
    }

    [LibraryImport(C)]
    private static partial int EVP_PKEY_sign(nint context, byte* signature, nuint* length, byte* input, nuint inputLength);

    [LibraryImport(C)]
    private static partial nint EVP_MD_CTX_new();

    [LibraryImport(C)]
    private static partial void EVP_MD_CTX_free(nint context);

    [LibraryImport(C)]
    private static partial int EVP_DigestSignInit_ex(
        nint context, nint* keyContext, byte* digest, nint library, byte* properties, SafeEvpPKeyHandle key, OsslParam* parameters);

    [LibraryImport(C)]
    private static partial int EVP_DigestSign(nint context, byte* signature, nuint* length, byte* message, nuint messageLength);

    [LibraryImport(C)]
    private static partial int EVP_PKEY_decrypt_init(nint context);

    [LibraryImport(C)]
    private static partial int EVP_PKEY_CTX_set_params(nint context, OsslParam* parameters);

    [LibraryImport(C)]
    private static partial int EVP_PKEY_decrypt(nint context, byte* output, nuint* length, byte* input, nuint inputLength);
}
