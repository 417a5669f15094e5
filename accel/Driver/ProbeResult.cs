namespace WarpDrive.Driver;

/// <summary>How a device answered one key size of a <see cref="KnownAnswerProbe"/>.</summary>
/// <param name="Bits">Of the modulus.</param>
/// <param name="OperationCount">Operations that were posted at once.</param>
/// <param name="Error"><see cref="AcceleratorError.None"/>: every answer was right. Else the first thing that was wrong.</param>
/// <param name="Latency">From the doorbell to the last answer, or to what was wrong.</param>
public sealed record ProbeResult(int Bits, int OperationCount, AcceleratorError Error, TimeSpan Latency)
{
    /// <summary>For people: <c>RSA-2048: 8 operations right after 1.4 ms</c>.</summary>
    public override string ToString() => string.Create(
        System.Globalization.CultureInfo.InvariantCulture,
        $"RSA-{Bits}: {OperationCount} operation{(OperationCount == 1 ? "" : "s")} {What} {Latency.TotalMilliseconds:0.#} ms");

    private string What => Error switch
    {
        AcceleratorError.None => "right after",
        AcceleratorError.WrongResult => "with a wrong answer after",
        AcceleratorError.DeviceError => "with an error instead of an answer after",
        AcceleratorError.Protocol => "broke off by a broken protocol after",
        AcceleratorError.DeviceGone => "broke off since the device went away after",
        _ => "not answered within",
    };
}
