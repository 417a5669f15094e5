namespace WarpDrive.OpenSsl;

/// <summary>Sends a share of operations to the devices and the rest to software, evenly, so that both are measured under the same traffic. Any thread.</summary>
public sealed class PathComparison
{
    private const long Whole = 1_000_000;
    private readonly long _share;
    private long _sum;

    /// <summary>Begins.</summary>
    /// <param name="share">Of the devices, more than 0 and less than 1.</param>
    public PathComparison(double share)
    {
        if (!(share > 0 && share < 1))
        {
            throw new ArgumentOutOfRangeException(nameof(share), share, "Allowed is more than 0 and less than 1.");
        }

        _share = Math.Clamp((long)Math.Round(share * Whole), 1, Whole - 1);
    }

    /// <summary>Whether the next operation goes to the devices.</summary>
    public bool TakeDevice()
    {
        long sum = Interlocked.Add(ref _sum, _share);
        return sum / Whole != (sum - _share) / Whole;
    }
}
