using WarpDrive.Driver;
using WarpDrive.OpenSsl;

namespace WarpProxy.Tests.Unit.OpenSsl;

/// <summary>Signatures that are computed both ways.</summary>
public sealed class ShadowOperationTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Other_way_gives_the_same_bytes(bool deviceFirst)
    {
        var sink = new Sink();
        int asked = 0;
        using SoftwareRsaKey other = TestKeys.Software(1024);
        using var key = new OffloadedRsaKey(TestKeys.Software(1024), new OperationCounters(), (input, output) =>
        {
            asked++;
            if (asked == 1 && !deviceFirst)
            {
                return AcceleratorError.Busy;
            }

            other.Private(input, output);
            return AcceleratorError.None;
        })
        {
            Shadow = sink,
        };
        key.Private([.. new byte[127], 5], new byte[128], RsaUse.PssSignature);
        ShadowOperation shadow = Assert.Single(sink.Taken);
        Assert.Equal(deviceFirst, shadow.WasOnDevice);
        Assert.Equal(ShadowOutcome.Matched, shadow.Run());
        Assert.Equal(deviceFirst ? 1 : 2, asked);
    }

    [Fact]
    public void Device_that_signs_wrongly_is_found()
    {
        var sink = new Sink();
        using var key = new OffloadedRsaKey(TestKeys.Software(1024), new OperationCounters(), (_, output) =>
        {
            output.Fill(7);
            return AcceleratorError.None;
        })
        {
            Shadow = sink,
        };
        key.Private([.. new byte[127], 5], new byte[128], RsaUse.Pkcs1Signature);
        Assert.Equal(ShadowOutcome.Mismatched, Assert.Single(sink.Taken).Run());
    }

    [Fact]
    public void Device_that_gives_nothing_has_failed()
    {
        var sink = new Sink();
        using var key = new OffloadedRsaKey(TestKeys.Software(1024), new OperationCounters(), (_, _) => AcceleratorError.Busy) { Shadow = sink };
        key.Private([.. new byte[127], 5], new byte[128], RsaUse.PssSignature);
        Assert.Equal(ShadowOutcome.Failed, Assert.Single(sink.Taken).Run());
    }

    [Fact]
    public void Secrets_are_never_computed_twice_and_keys_without_a_device_cast_no_shadow()
    {
        var sink = new Sink();
        using (var key = new OffloadedRsaKey(TestKeys.Software(1024), new OperationCounters(), (_, _) => AcceleratorError.Busy) { Shadow = sink })
        {
            key.Decrypt([.. new byte[127], 5], new byte[128]);
            key.Private([.. new byte[127], 5], new byte[128]);
        }

        using (var key = new OffloadedRsaKey(TestKeys.Software(1024), null, new OperationCounters()) { Shadow = sink })
        {
            key.Private([.. new byte[127], 5], new byte[128], RsaUse.PssSignature);
        }

        Assert.Empty(sink.Taken);
    }

    /// <summary>A key that its owner has given up lives until the last shadow is computed.</summary>
    [Fact]
    public void Key_outlives_its_owner_until_its_shadow_is_computed()
    {
        var sink = new Sink();
        var software = TestKeys.Software(1024);
        var key = new OffloadedRsaKey(software, new OperationCounters(), (_, _) => AcceleratorError.Busy) { Shadow = sink };
        key.Private([.. new byte[127], 5], new byte[128], RsaUse.PssSignature);
        key.Private([.. new byte[127], 5], new byte[128], RsaUse.PssSignature);
        key.Dispose();
        software.Private([.. new byte[127], 5], new byte[128]);
        Assert.Equal(ShadowOutcome.Failed, sink.Taken[0].Run());
        software.Private([.. new byte[127], 5], new byte[128]);
        sink.Taken[1].Drop();
        Assert.Throws<ObjectDisposedException>(() => software.Private([.. new byte[127], 5], new byte[128]));
    }

    private sealed class Sink : IShadowSink
    {
        public List<ShadowOperation> Taken { get; } = [];

        public bool IsWanted() => true;

        public void Take(ShadowOperation operation) => Taken.Add(operation);
    }
}
