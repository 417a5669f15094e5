using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Org.BouncyCastle.Crypto;
using Org.BouncyCastle.Security;
using WarpDrive.Driver;
using WarpDrive.OpenSsl;
using WarpDrive.OpenSsl.Provider;

namespace WarpProxy.Tests.Unit.OpenSsl;

[Collection(ProviderTests.Name)]
public sealed class OffloadedRsaKeyTests
{
    private static readonly byte[] Message = [.. Enumerable.Range(0, 130).Select(value => (byte)value)];

    public static TheoryData<int, string, bool> Signatures()
    {
        TheoryData<int, string, bool> data = [];
        foreach (int bits in new[] { 2047, 2048, 3072, 4096 })
        {
            foreach (string hash in new[] { "SHA256", "SHA384", "SHA512" })
            {
                data.Add(bits, hash, true);
                data.Add(bits, hash, false);
            }
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(Signatures))]
    public void Signatures_are_verified_by_NET_and_BouncyCastle(int bits, string hash, bool isPss)
    {
        HashAlgorithmName name = new(hash);
        RSASignaturePadding padding = isPss ? RSASignaturePadding.Pss : RSASignaturePadding.Pkcs1;
        using Attached attached = new(bits);
        using RSA signer = attached.Certificate.GetRSAPrivateKey()!;
        using RSA verifier = attached.Certificate.GetRSAPublicKey()!;

        byte[] signature = signer.SignData(Message, name, padding);

        Assert.True(verifier.VerifyData(Message, signature, name, padding));
        ISigner oracle = SignerUtilities.GetSigner(hash.Insert(3, "-") + (isPss ? "withRSAandMGF1" : "withRSA"));
        oracle.Init(false, DotNetUtilities.GetRsaPublicKey(verifier));
        oracle.BlockUpdate(Message, 0, Message.Length);
        Assert.True(oracle.VerifySignature(signature));
        Assert.Equal(1, attached.Counters.Snapshot().Software);
        if (!isPss)
        {
            Assert.Equal(TestKeys.Rsa(bits).SignData(Message, name, padding), signature);
        }
    }

    [Fact]
    public void Sha_1_signatures_are_for_old_clients_and_those_with_MD5_alone_are_refused()
    {
        using Attached attached = new(2048);
        using RSA signer = attached.Certificate.GetRSAPrivateKey()!;

#pragma warning disable CA5350, CA5351 // Which weak ones there are is the point.
        byte[] signature = signer.SignData(Message, HashAlgorithmName.SHA1, RSASignaturePadding.Pkcs1);
        Assert.Equal(TestKeys.Rsa(2048).SignData(Message, HashAlgorithmName.SHA1, RSASignaturePadding.Pkcs1), signature);
        Assert.ThrowsAny<CryptographicException>(() => signer.SignData(Message, HashAlgorithmName.MD5, RSASignaturePadding.Pkcs1));
#pragma warning restore CA5350, CA5351
        Assert.Equal(1, attached.Counters.Snapshot().Software);
    }

    [Fact]
    public void Decryption_outside_TLS_is_refused()
    {
        using Attached attached = new(2048);
        using RSA key = attached.Certificate.GetRSAPrivateKey()!;
        byte[] ciphertext = TestKeys.Rsa(2048).Encrypt([1, 2, 3], RSAEncryptionPadding.Pkcs1);

        Assert.ThrowsAny<CryptographicException>(() => key.Decrypt(ciphertext, RSAEncryptionPadding.Pkcs1));
        Assert.ThrowsAny<CryptographicException>(() => key.Decrypt(ciphertext, RSAEncryptionPadding.OaepSHA256));
        Assert.Equal(0, attached.Counters.Snapshot().Software);
    }

    [Fact]
    public void Private_key_is_not_exported()
    {
        using Attached attached = new(2048);
        using RSA key = attached.Certificate.GetRSAPrivateKey()!;

        Assert.ThrowsAny<CryptographicException>(() => key.ExportParameters(true));
        Assert.Equal(TestKeys.Rsa(2048).ExportParameters(false).Modulus, key.ExportParameters(false).Modulus);
    }

    [Fact]
    public void Ordinary_keys_keep_using_the_default_provider()
    {
        using Attached attached = new(2048);
        using RSAOpenSsl ordinary = new(2048);
        using X509Certificate2 certificate = TestKeys.Certificate(2048).CopyWithPrivateKey(TestKeys.Rsa(2048));
        using RSA ordinaryOfCertificate = certificate.GetRSAPrivateKey()!;

        byte[] signature = ordinary.SignData(Message, HashAlgorithmName.SHA256, RSASignaturePadding.Pss);
        byte[] second = ordinaryOfCertificate.SignData(Message, HashAlgorithmName.SHA256, RSASignaturePadding.Pss);

        Assert.True(ordinary.VerifyData(Message, signature, HashAlgorithmName.SHA256, RSASignaturePadding.Pss));
        Assert.True(ordinaryOfCertificate.VerifyData(Message, second, HashAlgorithmName.SHA256, RSASignaturePadding.Pss));
        Assert.Equal("default", ProviderTests.NameOf(ordinary));
        Assert.Equal("default", ProviderTests.NameOf(ordinaryOfCertificate));
        using RSA offloaded = attached.Certificate.GetRSAPrivateKey()!;
        Assert.Equal("warpdrive", ProviderTests.NameOf(offloaded));
        Assert.Equal(0, attached.Counters.Snapshot().Software);
    }

    [Fact]
    public void Operation_of_the_device_is_counted_as_such()
    {
        using SoftwareRsaKey device = TestKeys.Software(2048);
        using Attached attached = new(2048, (input, output) =>
        {
            device.Private(input, output);
            return AcceleratorError.None;
        });

        attached.AssertSigns();

        AssertCounts(attached.Counters, device: 1, software: 0);
    }

    [Theory]
    [InlineData(AcceleratorError.NoDevice)]
    [InlineData(AcceleratorError.Busy)]
    [InlineData(AcceleratorError.Deadline)]
    [InlineData(AcceleratorError.DeviceGone)]
    [InlineData(AcceleratorError.DeviceError)]
    [InlineData(AcceleratorError.Protocol)]
    [InlineData(AcceleratorError.WrongResult)]
    public void Operation_that_the_device_did_not_do_is_done_in_software_and_counted_by_reason(AcceleratorError error)
    {
        using Attached attached = new(2048, (_, output) =>
        {
            output.Fill(0x5A);
            return error;
        });

        attached.AssertSigns();

        AssertCounts(attached.Counters, device: 0, software: 0, error);
    }

    [Fact]
    public void Pool_without_a_device_falls_back()
    {
        OperationCounters counters = new();
        using QueuePool pool = TestKeys.EmptyPool();
        using OffloadedRsaKey key = new(TestKeys.Software(2048), pool, counters);

        key.Private(new byte[256], new byte[256]);

        AssertCounts(counters, device: 0, software: 0, AcceleratorError.NoDevice);
    }

    [Fact]
    public void Key_that_no_device_takes_falls_back_as_unsupported()
    {
        OperationCounters counters = new();
        using QueuePool pool = TestKeys.EmptyPool();
        using OffloadedRsaKey key = new(TestKeys.Software(1536), pool, counters);

        key.Private(new byte[192], new byte[192]);

        AssertCounts(counters, device: 0, software: 0, AcceleratorError.UnsupportedKey);
    }

    [Fact]
    public void Input_not_below_the_modulus_reaches_no_device()
    {
        bool isAsked = false;
        using SoftwareRsaKey software = TestKeys.Software(1024);
        OperationCounters counters = new();
        using OffloadedRsaKey key = new(software, counters, (_, _) =>
        {
            isAsked = true;
            return AcceleratorError.None;
        });

        Assert.Throws<OpenSslException>(() => key.Private(key.Modulus.Span, new byte[128]));
        Assert.Throws<OpenSslException>(() => key.Private(new byte[127], new byte[128]));
        Assert.Throws<OpenSslException>(() => key.Private(new byte[128], new byte[127]));
        Assert.False(isAsked);
        AssertCounts(counters, device: 0, software: 0);
    }

    [Theory]
    [InlineData(1024)]
    [InlineData(2047)]
    [InlineData(4096)]
    public void Decryption_is_right_over_many_uses_of_its_blinding(int bits)
    {
        using OffloadedRsaKey key = new(TestKeys.Software(bits), null, new OperationCounters());
        byte[] input = new byte[key.ModulusBytes];
        byte[] expected = new byte[key.ModulusBytes];
        byte[] output = new byte[key.ModulusBytes];
        for (int i = 0; i < 70; i++) // OpenSSL makes a new r after 32
        {
            // Also 0 and 1, which any r leaves a fixed point or turns into r itself.
            input[^1] = (byte)i;
            key.Private(input, expected);
            key.Decrypt(input, output);

            Assert.Equal(expected, output);
        }
    }

    [Fact]
    public void Decryption_shows_the_device_neither_ciphertext_nor_plaintext_and_never_the_same_number_twice()
    {
        HashSet<string> seen = [];
        using SoftwareRsaKey device = TestKeys.Software(1024);
        using OffloadedRsaKey key = new(TestKeys.Software(1024), new OperationCounters(), (input, output) =>
        {
            device.Private(input, output);
            Assert.True(seen.Add(Convert.ToHexString(input)));
            Assert.True(seen.Add(Convert.ToHexString(output)));
            return AcceleratorError.None;
        });
        byte[] plaintext = [0, 2, .. new byte[126]];
        byte[] ciphertext = new byte[128];
        Assert.True(device.Public(plaintext, ciphertext));
        byte[] decrypted = new byte[128];
        for (int i = 0; i < 70; i++)
        {
            key.Decrypt(ciphertext, decrypted);
            Assert.Equal(plaintext, decrypted);
        }

        Assert.Equal(140, seen.Count);
        Assert.DoesNotContain(Convert.ToHexString(ciphertext), seen);
        Assert.DoesNotContain(Convert.ToHexString(plaintext), seen);
    }

    [Fact]
    public void Decryption_of_wrong_size_or_value_is_refused()
    {
        using OffloadedRsaKey key = new(TestKeys.Software(1024), null, new OperationCounters());

        Assert.Throws<OpenSslException>(() => key.Decrypt(key.Modulus.Span, new byte[128]));
        Assert.Throws<OpenSslException>(() => key.Decrypt(new byte[127], new byte[128]));
        Assert.Throws<OpenSslException>(() => key.Decrypt(new byte[128], new byte[127]));
    }

    [Fact]
    public void Decryption_that_throws_leaves_zeros_and_the_next_one_is_right()
    {
        bool isFailing = true;
        using SoftwareRsaKey device = TestKeys.Software(1024);
        using OffloadedRsaKey key = new(TestKeys.Software(1024), new OperationCounters(), (input, output) =>
        {
            device.Private(input, output);
            return isFailing ? throw new InvalidOperationException("the device is on fire") : AcceleratorError.None;
        });
        byte[] input = [.. new byte[127], 3];
        byte[] expected = new byte[128];
        byte[] output = new byte[128];
        device.Private(input, expected);

        Assert.Throws<InvalidOperationException>(() => key.Decrypt(input, output));
        Assert.All(output, value => Assert.Equal(0, value));
        isFailing = false;
        key.Decrypt(input, output);
        Assert.Equal(expected, output);
    }

    [Fact]
    public void Decryptions_of_many_threads_at_once_are_right_and_allocate_nothing_once_warm()
    {
        using OffloadedRsaKey key = new(TestKeys.Software(1024), null, new OperationCounters());
        byte[] input = [.. new byte[127], 3];
        byte[] expected = new byte[128];
        key.Private(input, expected);
        long[] allocated = new long[8];
        Thread[] threads = [.. Enumerable.Range(0, allocated.Length).Select(index => new Thread(() =>
        {
            byte[] output = new byte[128];
            key.Decrypt(input, output);
            long before = GC.GetAllocatedBytesForCurrentThread();
            bool isRight = true;
            for (int i = 0; i < 1000; i++)
            {
                key.Decrypt(input, output);
                isRight &= output.AsSpan().SequenceEqual(expected);
            }

            allocated[index] = isRight ? GC.GetAllocatedBytesForCurrentThread() - before : long.MaxValue;
        }))];
        foreach (Thread thread in threads)
        {
            thread.Start();
        }

        foreach (Thread thread in threads)
        {
            thread.Join();
        }

        // A context and a blinding for a thread that finds none idle are all that may be made: at most as many as there are threads, by whichever of them. The
        // least that 8,000 operations could allocate is three times as much.
        Assert.InRange(allocated.Sum(), 0, 8000L * allocated.Length);
    }

    [Fact]
    public void Key_of_another_certificate_is_refused_and_freed()
    {
        int before = LiveHandles.Settled();
        using X509Certificate2 certificate = TestKeys.Certificate(3072);
        using OffloadedRsaKey key = new(TestKeys.Software(2048), null, new OperationCounters());

        Assert.Equal(OpenSslError.KeyMismatch, Assert.Throws<OpenSslException>(() => key.Attach(certificate)).Error);
        Assert.Equal(before, ProviderHandle.Live);
    }

    [Fact]
    public void Certificate_keeps_signing_after_its_key_was_disposed()
    {
        using Attached attached = new(2048);
        attached.Key.Dispose();

        attached.AssertSigns();

        Assert.Throws<ObjectDisposedException>(() => attached.Key.Attach(attached.Certificate));
    }

    [Fact]
    public void Key_that_was_given_up_is_not_held_again()
    {
        using OffloadedRsaKey key = new(TestKeys.Software(1024), null, new OperationCounters());

        Assert.True(key.TryHold());
        key.Dispose();
        Assert.True(key.TryHold());
        key.Release();
        key.Release();

        Assert.False(key.TryHold());
        Assert.Throws<OpenSslException>(() => WarpProvider.CreateKey(key));
    }

    [Fact]
    public void Certificate_attached_while_the_key_is_disposed_signs_or_is_refused()
    {
        int before = LiveHandles.Settled();
        using X509Certificate2 bare = TestKeys.Certificate(1024);
        for (int i = 0; i < 100; i++)
        {
            OffloadedRsaKey key = new(TestKeys.Software(1024), null, new OperationCounters());
            using Barrier start = new(2);
            Thread disposing = new(() =>
            {
                start.SignalAndWait();
                key.Dispose();
            });
            disposing.Start();
            start.SignalAndWait();
            X509Certificate2? attached = null;
            try
            {
                attached = key.Attach(bare);
            }
            catch (ObjectDisposedException)
            {
                // It came too late.
            }

            disposing.Join();
            using (attached)
            using (RSA? signer = attached?.GetRSAPrivateKey())
            {
                Assert.Equal(128, signer?.SignData(Message, HashAlgorithmName.SHA256, RSASignaturePadding.Pss).Length ?? 128);
            }

            Assert.False(key.TryHold());
        }

        Assert.Equal(before, ProviderHandle.Live);
    }

    [Fact]
    public void Exception_of_an_operation_becomes_an_error_of_OpenSSL()
    {
        using Attached attached = new(2048, (_, _) => throw new InvalidOperationException("the device is on fire"));
        using RSA signer = attached.Certificate.GetRSAPrivateKey()!;

        CryptographicException exception = Assert.ThrowsAny<CryptographicException>(
            () => signer.SignData(Message, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1));

        Assert.Contains("Provider routines::internal error", exception.Message, StringComparison.Ordinal);
        AssertCounts(attached.Counters, device: 0, software: 0);
    }

    [Fact]
    public void Thousand_signatures_leave_no_handle_behind()
    {
        int before = LiveHandles.Settled();
        using (Attached attached = new(1024))
        {
            for (int i = 0; i < 1000; i++)
            {
                attached.AssertSigns();
            }

            Assert.Equal(1000, attached.Counters.Snapshot().Software);
        }

        Assert.Equal(before, ProviderHandle.Live);
    }

    private static void AssertCounts(OperationCounters counters, long device, long software, params AcceleratorError[] fallbacks)
    {
        OperationCounts counts = counters.Snapshot();
        Assert.Equal(device, counts.Device);
        Assert.Equal(software, counts.Software);
        Assert.Equal(fallbacks, counts.Fallback.Where(pair => pair.Value == 1).Select(pair => pair.Key));
        Assert.Equal(fallbacks.Length, counts.Fallback.Values.Sum());
        Assert.DoesNotContain(AcceleratorError.None, counts.Fallback.Keys);
    }
}
