namespace WarpProxy.LoadTest.Reports;

/// <summary>How the page of a report looks. Nothing of it is fetched; characters that XML would escape are not in it.</summary>
internal static class ReportStyle
{
    /// <summary>How many servers have a colour of their own.</summary>
    public const int ColourCount = 8;

    public const string Css = """

        :root { color-scheme: light dark; --ink: #1b1f24; --soft: #59636e; --line: #d8dee4; --paper: #fff; --raised: #f5f7f9; --warn: #8a4b00;
          --s0: #1f6fb4; --s1: #7a5195; --s2: #b8570f; --s3: #2b7f44; --s4: #c22f56; --s5: #0c7d85; --s6: #6d6a1f; --s7: #555f6a; }
        @media (prefers-color-scheme: dark) {
          :root { --ink: #e6e9ed; --soft: #9aa5b1; --line: #343b44; --paper: #14181d; --raised: #1c2229; --warn: #f0b35e;
            --s0: #6cb2f0; --s1: #c39be0; --s2: #f0944d; --s3: #6ccb87; --s4: #f57d9b; --s5: #4fc9d1; --s6: #cfc95a; --s7: #a9b4c0; }
        }
        * { box-sizing: border-box; }
        body { margin: 0; background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
        main { max-width: 76rem; margin: 0 auto; padding: 2rem 1rem 4rem; }
        h1 { margin: 0 0 .25rem; font-size: 1.6rem; letter-spacing: -.01em; }
        h2 { margin: 2.5rem 0 .5rem; padding-top: 1rem; border-top: 1px solid var(--line); font-size: 1.15rem; }
        h3 { margin: 0 0 .25rem; font-size: .95rem; font-weight: 600; }
        p, li { max-width: 60rem; }
        .soft { color: var(--soft); }
        .warning { color: var(--warn); }
        ul { margin: .5rem 0; padding-left: 1.2rem; }
        .scroll { overflow-x: auto; }
        table { border-collapse: collapse; font-variant-numeric: tabular-nums; white-space: nowrap; }
        th, td { padding: .35rem .75rem; border-bottom: 1px solid var(--line); text-align: right; }
        th { color: var(--soft); font-weight: 500; font-size: .85rem; }
        th:first-child, td:first-child { position: sticky; left: 0; background: var(--paper); text-align: left; padding-left: 0; }
        .charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 21rem), 1fr)); gap: 1.25rem; margin-top: 1rem; }
        figure { margin: 0; padding: .75rem; background: var(--raised); border: 1px solid var(--line); border-radius: 6px; }
        svg { display: block; width: 100%; height: auto; }
        svg text { fill: var(--soft); font: 11px system-ui, sans-serif; }
        svg .value { fill: var(--ink); }
        .grid { stroke: var(--line); stroke-width: 1; }
        .curve { fill: none; stroke-width: 2; stroke-linejoin: round; }
        .spread { stroke: var(--ink); stroke-width: 1.25; }
        .key { display: inline-flex; align-items: center; gap: .4rem; margin: 0 1rem .25rem 0; white-space: nowrap; }
        .key svg { width: 1.75rem; flex: none; }
        details { margin: .5rem 0; border: 1px solid var(--line); border-radius: 6px; }
        summary { padding: .5rem .75rem; cursor: pointer; }
        pre { margin: 0; padding: .75rem; overflow-x: auto; background: var(--raised); font: 12.5px/1.5 ui-monospace, monospace; }
        .c0 { stroke: var(--s0); } .c1 { stroke: var(--s1); } .c2 { stroke: var(--s2); } .c3 { stroke: var(--s3); }
        .c4 { stroke: var(--s4); } .c5 { stroke: var(--s5); } .c6 { stroke: var(--s6); } .c7 { stroke: var(--s7); }
        .f0 { fill: var(--s0); } .f1 { fill: var(--s1); } .f2 { fill: var(--s2); } .f3 { fill: var(--s3); }
        .f4 { fill: var(--s4); } .f5 { fill: var(--s5); } .f6 { fill: var(--s6); } .f7 { fill: var(--s7); }
        .c1, .c5 { stroke-dasharray: 6 3; } .c2, .c6 { stroke-dasharray: 2 2; } .c3, .c7 { stroke-dasharray: 8 3 2 3; }

        """;
}
