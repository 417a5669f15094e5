using System.Numerics;
using System.Security.Cryptography;
using WarpDrive.OpenSsl;

namespace WarpProxy.Tests.Unit.OpenSsl;

public sealed class SoftwareRsaKeyTests
{
    [Theory]
    [InlineData(1024)]
    [InlineData(2047)]
    [InlineData(2048)]
    [InlineData(3072)]
    [InlineData(4096)]
    public void Private_and_public_operations_agree_with_BigInteger(int bits)
    {
        RSAParameters numbers = TestKeys.Rsa(bits).ExportParameters(true);
        using SoftwareRsaKey key = TestKeys.Software(bits);
        byte[] input = new byte[key.ModulusBytes];
        RandomNumberGenerator.Fill(input.AsSpan(1));
        byte[] output = new byte[key.ModulusBytes];
        byte[] back = new byte[key.ModulusBytes];

        key.Private(input, output);

        Assert.Equal(bits, key.ModulusBits);
        Assert.Equal(numbers.Modulus, key.Modulus.ToArray());
        Assert.Equal(numbers.Exponent, key.Exponent.ToArray());
        Assert.Equal(BigInteger.ModPow(Number(input), Number(numbers.D!), Number(numbers.Modulus!)), Number(output));
        Assert.True(key.Public(output, back));
        Assert.Equal(input, back);
        Assert.True(key.CheckResult(input, output));
    }

    [Fact]
    public void Fault_check_refuses_each_result_with_one_bit_turned()
    {
        using SoftwareRsaKey key = TestKeys.Software(1024);
        byte[] input = new byte[128];
        input[127] = 5;
        byte[] output = new byte[128];
        key.Private(input, output);
        for (int bit = 0; bit < 1024; bit++)
        {
            output[bit / 8] ^= (byte)(1 << bit % 8);
            Assert.False(key.CheckResult(input, output), $"bit {bit}");
            output[bit / 8] ^= (byte)(1 << bit % 8);
        }

        Assert.True(key.CheckResult(input, output));
    }

    [Fact]
    public void Fault_check_refuses_the_right_result_plus_the_modulus()
    {
        using SoftwareRsaKey key = TestKeys.Software(1024);
        byte[] one = new byte[128];
        one[127] = 1;
        byte[] onePlusModulus = key.Modulus.ToArray();
        onePlusModulus[127]++; // n is odd: no carry beyond the last byte unless it is 255
        if (onePlusModulus[127] == 0)
        {
            onePlusModulus[126]++;
        }

        Assert.True(key.CheckResult(one, one));
        Assert.False(key.CheckResult(one, onePlusModulus));
        Assert.False(key.CheckResult(one, one.AsSpan(1)));
        Assert.False(key.CheckResult(one.AsSpan(1), one));
    }

    [Fact]
    public void Number_is_below_the_modulus_up_to_modulus_minus_one()
    {
        using SoftwareRsaKey key = TestKeys.Software(1024);
        byte[] number = key.Modulus.ToArray();

        Assert.False(key.IsBelowModulus(number));
        number[127]--; // n is odd
        Assert.True(key.IsBelowModulus(number));
        number.AsSpan().Fill(0xFF);
        Assert.False(key.IsBelowModulus(number));
        number.AsSpan().Clear();
        Assert.True(key.IsBelowModulus(number));
        Assert.False(key.IsBelowModulus(number.AsSpan(1)));
    }

    [Fact]
    public void Private_operation_on_the_modulus_itself_fails_and_leaves_zeros()
    {
        using SoftwareRsaKey key = TestKeys.Software(1024);
        byte[] output = new byte[128];
        output.AsSpan().Fill(7);

        Assert.Throws<OpenSslException>(() => key.Private(key.Modulus.Span, output));
        Assert.All(output, value => Assert.Equal(0, value));
        Assert.False(key.Public(key.Modulus.Span, output));
    }

    [Theory]
    [InlineData(127, 128)]
    [InlineData(128, 127)]
    [InlineData(129, 128)]
    public void Wrong_sizes_are_refused(int inputBytes, int outputBytes)
    {
        using SoftwareRsaKey key = TestKeys.Software(1024);

        Assert.Throws<ArgumentException>(() => key.Private(new byte[inputBytes], new byte[outputBytes]));
        Assert.Throws<ArgumentException>(() => key.Public(new byte[inputBytes], new byte[outputBytes]));
    }

    [Theory]
    [InlineData(1024)]
    [InlineData(2048)]
    [InlineData(3072)]
    [InlineData(4096)]
    public void Crt_block_holds_dq_dp_q_p_qinv(int bits)
    {
        RSAParameters numbers = TestKeys.Rsa(bits).ExportParameters(true);
        using SoftwareRsaKey key = TestKeys.Software(bits);
        byte[] block = new byte[bits / 16 * 5];

        Assert.True(key.TryWriteCrtBlock(block));
        Assert.Equal(block.Length, key.CrtBlockBytes);
        Assert.Equal([.. numbers.DQ!, .. numbers.DP!, .. numbers.Q!, .. numbers.P!, .. numbers.InverseQ!], block);
    }

    [Theory]
    [InlineData(1536)]
    [InlineData(2047)]
    public void Crt_block_of_a_size_that_no_device_takes_is_not_written(int bits)
    {
        using SoftwareRsaKey key = TestKeys.Software(bits);
        byte[] block = new byte[key.CrtBlockBytes];
        block.AsSpan().Fill(1);

        Assert.False(key.TryWriteCrtBlock(block));
        Assert.All(block, value => Assert.Equal(0, value));
    }

    [Fact]
    public void Crt_block_of_primes_that_do_not_fit_half_the_modulus_is_not_written()
    {
        // p of 520 and q of 504 bits.
        using PrivateKey loaded = RsaNumbers.Load(RsaNumbers.Create(520, 504));
        using SoftwareRsaKey key = new(loaded);
        byte[] block = new byte[320];

        Assert.Equal(1024, key.ModulusBits);
        Assert.False(key.TryWriteCrtBlock(block));
        Assert.All(block, value => Assert.Equal(0, value));
    }

    [Fact]
    public void Crt_block_of_the_wrong_size_is_refused()
    {
        using SoftwareRsaKey key = TestKeys.Software(1024);

        Assert.Throws<ArgumentException>(() => key.TryWriteCrtBlock(new byte[319]));
    }

    [Fact]
    public void Key_with_a_wrong_prime_exponent_is_refused_when_loaded()
    {
        RSAParameters numbers = TestKeys.Rsa(1024).ExportParameters(true);
        numbers.D![5] ^= 4;
        numbers.DP![5] ^= 4;
        using PrivateKey key = RsaNumbers.LoadUnchecked(numbers);

        Assert.Equal(OpenSslError.DamagedKey, Assert.Throws<OpenSslException>(() => new SoftwareRsaKey(key)).Error);
    }

    public static TheoryData<string, int> WrongCrtNumbers()
    {
        TheoryData<string, int> data = [];
        foreach (string name in new[] { "dp", "dq", "qinv" })
        {
            // The first byte makes the number too large or smaller, the others wrong in the middle and at the end.
            data.Add(name, 0);
            data.Add(name, 5);
            data.Add(name, 63);
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(WrongCrtNumbers))]
    public void Key_with_one_wrong_crt_number_is_refused_when_loaded(string name, int index)
    {
        RSAParameters numbers = TestKeys.Rsa(1024).ExportParameters(true);
        byte[] wrong = name switch { "dp" => numbers.DP!, "dq" => numbers.DQ!, _ => numbers.InverseQ! };
        wrong[index] ^= 0x10;
        using PrivateKey key = RsaNumbers.LoadUnchecked(numbers);

        Assert.Equal(OpenSslError.DamagedKey, Assert.Throws<OpenSslException>(() => new SoftwareRsaKey(key)).Error);
    }

    [Fact]
    public void Key_with_a_crt_exponent_that_is_not_reduced_is_refused_when_loaded()
    {
        RSAParameters numbers = TestKeys.Rsa(1024).ExportParameters(true);
        BigInteger sum = Number(numbers.DP!) + Number(numbers.P!) - 1;
        numbers.DP = sum.ToByteArray(isUnsigned: true, isBigEndian: true);
        using PrivateKey key = RsaNumbers.LoadUnchecked(numbers);

        Assert.Equal(OpenSslError.DamagedKey, Assert.Throws<OpenSslException>(() => new SoftwareRsaKey(key)).Error);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Key_is_taken_whichever_prime_is_the_larger_one(bool isFirstLarger)
    {
        using PrivateKey loaded = RsaNumbers.Load(RsaNumbers.Create(isFirstLarger ? 520 : 504, isFirstLarger ? 504 : 520));
        using SoftwareRsaKey key = new(loaded);

        AssertComputes(key);
    }

    [Fact]
    public void Key_of_equally_long_primes_is_taken_with_its_primes_exchanged()
    {
        RSAParameters numbers = TestKeys.Rsa(1024).ExportParameters(true);
        (numbers.P, numbers.Q) = (numbers.Q, numbers.P);
        (numbers.DP, numbers.DQ) = (numbers.DQ, numbers.DP);
        numbers.InverseQ = BigInteger.ModPow(Number(numbers.Q!), Number(numbers.P!) - 2, Number(numbers.P!)).ToByteArray(isUnsigned: true, isBigEndian: true);
        using PrivateKey loaded = RsaNumbers.LoadUnchecked(numbers);
        using SoftwareRsaKey key = new(loaded);

        AssertComputes(key);
        Assert.True(key.TryWriteCrtBlock(new byte[320]));
    }

    [Fact]
    public void Key_without_crt_numbers_is_taken_and_no_device_takes_it()
    {
        using PrivateKey loaded = RsaNumbers.LoadWithoutCrt(TestKeys.Rsa(1024).ExportParameters(true));
        using SoftwareRsaKey key = new(loaded);

        AssertComputes(key);
        Assert.False(key.TryWriteCrtBlock(new byte[320]));
    }

    [Fact]
    public void Ec_key_is_refused()
    {
        using ECDsa ec = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using PrivateKey key = PrivateKeyPem.Load(System.Text.Encoding.ASCII.GetBytes(ec.ExportPkcs8PrivateKeyPem()), []);

        OpenSslException exception = Assert.Throws<OpenSslException>(() => new SoftwareRsaKey(key));

        Assert.Equal("The private key is Ec of 256 bits; RSA of 512 to 16384 bits is supported.", exception.Message);
    }

    [Fact]
    public void Operations_of_many_threads_at_once_are_right_and_allocate_nothing_once_warm()
    {
        using SoftwareRsaKey key = TestKeys.Software(1024);
        byte[] input = new byte[128];
        input[100] = 9;
        byte[] expected = new byte[128];
        key.Private(input, expected);
        long[] allocated = new long[8];
        Thread[] threads = [.. Enumerable.Range(0, allocated.Length).Select(index => new Thread(() =>
        {
            byte[] output = new byte[128];
            key.Private(input, output);
            long before = GC.GetAllocatedBytesForCurrentThread();
            bool isRight = true;
            for (int i = 0; i < 1000; i++)
            {
                key.Private(input, output);
                isRight &= output.AsSpan().SequenceEqual(expected) && key.CheckResult(input, output);
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

        // A context for a thread that finds none idle is all that may be made, at most as many as there are threads, by whichever of them: the least that
        // 8,000 operations could allocate is three times as much.
        Assert.InRange(allocated.Sum(), 0, 8000L * allocated.Length);
    }

    private static void AssertComputes(SoftwareRsaKey key)
    {
        byte[] input = new byte[key.ModulusBytes];
        byte[] output = new byte[key.ModulusBytes];
        input[^1] = 7;
        key.Private(input, output);
        Assert.True(key.CheckResult(input, output));
    }

    private static BigInteger Number(byte[] bytes) => new(bytes, isUnsigned: true, isBigEndian: true);
}
