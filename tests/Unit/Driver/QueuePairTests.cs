using WarpDrive.Abi.Device;
using WarpDrive.Abi.Hpre;
using WarpDrive.Driver;
using WarpDrive.Driver.Devices;

namespace WarpProxy.Tests.Unit.Driver;

public sealed class QueuePairTests : IDisposable
{
    private const int Depth = 4;
    private readonly HandDevice _hand = new();
    private readonly QueuePair _pair;

    public QueuePairTests() => _pair = new QueuePair(EmulatedDevice.Open(_hand, Depth));

    public void Dispose() => _pair.Dispose();

    [Fact]
    public void Posting_writes_the_64_bytes_of_the_datasheet()
    {
        var entry = new SubmissionEntry
        {
            Control = SubmissionControl.Post(HpreAlgorithm.RsaCrt),
            TaskLength1 = 31,
            KeyIova = 0x1122334455667788,
            InputIova = 0x99aabbccddeeff00,
            OutputIova = 0x0102030405060708,
            Tag = 0x1817161514131211,
        };

        Assert.True(_pair.TryPost(entry));

        byte[] expected = new byte[64];
        Convert.FromHexString("01000040" + "1f000000" + "8877665544332211" + "00ffeeddccbbaa99" + "0807060504030201" + "1112131415161718").CopyTo(expected, 0);
        Assert.Equal(expected, _hand.Submission(0).ToArray());
    }

    [Fact]
    public void Nothing_is_rung_before_the_doorbell()
    {
        Post();
        Assert.Equal(0u, _hand.Tail);
        _pair.Ring();
        Assert.Equal(1u, _hand.Tail);
    }

    [Fact]
    public void Full_queue_refuses_the_next_post()
    {
        for (int i = 0; i < Depth - 1; i++)
        {
            Assert.True(Post());
        }

        Assert.False(Post());
        Assert.Equal(Depth - 1, _pair.InFlight);
    }

    [Fact]
    public void Completions_are_taken_round_the_ring_with_a_flipped_phase()
    {
        for (int i = 0; i < 3 * Depth; i++)
        {
            Assert.True(Post(tag: (ulong)(1000 + i)));
            Assert.Equal(ReapResult.Empty, _pair.TryReap(out _));
            _hand.MarkDone(i % Depth);
            _hand.Complete(at: i % Depth, index: i % Depth, phase: (i / Depth) % 2 == 0 ? 1 : 0);

            Assert.Equal(ReapResult.Completed, _pair.TryReap(out Completion completion));
            Assert.Equal(new Completion(i % Depth, (ulong)(1000 + i), HpreError.None), completion);
            Assert.Equal((uint)((i + 1) % Depth), _hand.Head);
            Assert.Equal(0, _pair.InFlight);
        }
    }

    [Fact]
    public void Error_bits_of_the_submission_reach_the_completion()
    {
        Post();
        _hand.MarkDone(0, error: 4);
        _hand.Complete(0, 0, 1);
        Assert.Equal(ReapResult.Completed, _pair.TryReap(out Completion completion));
        Assert.Equal(HpreError.Input, completion.Error);
    }

    [Fact]
    public void Tag_is_the_hosts_own_whatever_the_device_wrote()
    {
        Post(tag: 5);
        _hand.Submission(0)[32] = 99;
        _hand.MarkDone(0);
        _hand.Complete(0, 0, 1);
        _pair.TryReap(out Completion completion);
        Assert.Equal(5ul, completion.Tag);
    }

    [Theory]
    [InlineData(Depth)]
    [InlineData(65535)]
    [InlineData(1)] // inside the ring, but nothing is in flight there
    public void Completion_of_an_index_that_is_not_in_flight_breaks_the_queue(int index)
    {
        Post();
        _hand.MarkDone(0);
        _hand.Complete(0, index, 1);
        Assert.Equal(ReapResult.Broken, _pair.TryReap(out _));
    }

    [Fact]
    public void Completion_of_another_queue_breaks_the_queue()
    {
        Post();
        _hand.MarkDone(0);
        _hand.Complete(0, 0, 1, queueNumber: HandDevice.QueueNumber + 1);
        Assert.Equal(ReapResult.Broken, _pair.TryReap(out _));
    }

    [Fact]
    public void Second_completion_of_one_submission_breaks_the_queue_for_good()
    {
        Post();
        Post();
        _hand.MarkDone(0);
        _hand.Complete(0, 0, 1);
        _hand.Complete(1, 0, 1);
        Assert.Equal(ReapResult.Completed, _pair.TryReap(out _));
        Assert.Equal(ReapResult.Broken, _pair.TryReap(out _));
        Assert.Equal(ReapResult.Broken, _pair.TryReap(out _));
    }

    [Fact]
    public void Completion_of_a_submission_that_is_not_done_breaks_the_queue()
    {
        Post();
        _hand.Complete(0, 0, 1);
        Assert.Equal(ReapResult.Broken, _pair.TryReap(out _));
    }

    [Fact]
    public void Entry_is_not_written_over_while_it_is_in_flight()
    {
        for (int i = 0; i < 3; i++)
        {
            Post();
        }

        // The last first: the host's tail comes round to index 0, which is still the device's.
        _hand.MarkDone(2);
        _hand.Complete(0, 2, 1);
        Assert.Equal(ReapResult.Completed, _pair.TryReap(out _));
        Assert.True(Post());
        _hand.MarkDone(1);
        _hand.Complete(1, 1, 1);
        Assert.Equal(ReapResult.Completed, _pair.TryReap(out _));
        Assert.False(Post());
    }

    [Fact]
    public void Sleeping_device_is_woken_once()
    {
        Post();
        _pair.Ring();
        Assert.False(_hand.Kicks.TryConsume());

        MarkAsleep();
        Post();
        _pair.Ring();
        Assert.True(_hand.Kicks.TryConsume());
        Post();
        _pair.Ring();
        Assert.False(_hand.Kicks.TryConsume());
    }

    [Fact]
    public void Wait_ends_when_the_device_sets_its_stop_word()
    {
        Post();
        _pair.Ring();
        _hand.Stop();
        _pair.Wait(TimeSpan.FromHours(1), TimeSpan.Zero);
        Assert.Equal(ReapResult.Empty, _pair.TryReap(out _));
        Assert.True(_pair.Device.IsGone);
    }

    [Fact]
    public void Sleeping_host_is_woken_by_the_interrupt()
    {
        Post();
        _pair.Ring();
        var device = new Thread(() =>
        {
            SpinWait.SpinUntil(() => _hand.GetDoorbellWord(ParavirtualDoorbell.HostAsleepOffset) == 1);
            _hand.MarkDone(0);
            _hand.Complete(0, 0, 1);
        });
        device.Start();
        _pair.Wait(TimeSpan.FromHours(1), TimeSpan.Zero);
        Assert.Equal(ReapResult.Completed, _pair.TryReap(out _));
        device.Join();
    }

    [Theory]
    [InlineData(3)]
    [InlineData(0)]
    [InlineData(2048)]
    public void Depth_that_the_device_cannot_have_is_refused_with_a_sentence(int depth)
    {
        AcceleratorException e = Assert.Throws<AcceleratorException>(() => EmulatedDevice.Open(new HandDevice(), depth));
        Assert.Equal($"The queue depth is {depth}; it must be a power of two between 2 and 1024.", e.Message);
    }

    [Fact]
    public void Device_of_another_kind_is_refused_and_closed()
    {
        var other = new HandDevice();
        other.SetRegister(ControlRegister.Magic, 0x12345678);
        AcceleratorException e = Assert.Throws<AcceleratorException>(() => EmulatedDevice.Open(other, Depth));
        Assert.Contains("0x12345678", e.Message, StringComparison.Ordinal);
        Assert.True(other.IsDisposed);
    }

    private void MarkAsleep() => _hand.SetDoorbellWord(ParavirtualDoorbell.DeviceAsleepOffset, 1);

    private bool Post(ulong tag = 0) => _pair.TryPost(new SubmissionEntry { Control = SubmissionControl.Post(HpreAlgorithm.RsaCrt), Tag = tag });
}
