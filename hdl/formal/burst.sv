// Properties of `dma::burst::BurstSplitter`. `cargo xtask formal` puts this text at the end of module `burst`; only its
// ports are used, but for what induction needs. All inputs are free in every cycle, reset included, except that a run
// has at least one word and ends within the address space, as the range check sees to.
//
// `at` and `rest` are what is left of the run, by its contract alone; `offer` is what the channel has to show.

reg [30:0] at = 0;
reg [14:0] rest = 0;
reg quiet = 0;
reg offer = 0;
reg [29:0] offer_addr = 0;
reg [5:0] offer_beats = 0;

wire [6:0] taken = issue_beats + 7'd1;
wire [30:0] run_end = {1'b0, word_addr} + {16'b0, words};

always @(*) if (go && ready) assume (words != 0 && run_end <= 31'h4000_0000);

always @(posedge cr$clock) begin
  if (cr$reset) begin
    rest <= 0;
    offer <= 0;
  end else begin
    if (go && ready) begin
      at <= word_addr;
      rest <= words;
      quiet <= mute;
    end else if (issue) begin
      at <= at + taken;
      rest <= rest - taken;
    end
    if (axready) offer <= 0;
    if (issue && !quiet) begin
      offer <= 1;
      offer_addr <= issue_addr;
      offer_beats <= issue_beats;
    end
  end
end

// The channel one cycle before, for the handshake told in its own words.
reg stalled = 0;
reg [31:0] stalled_addr;
reg [7:0] stalled_len;
always @(posedge cr$clock) begin
  stalled <= !cr$reset && axvalid && !axready;
  stalled_addr <= axaddr;
  stalled_len <= axlen;
end

always @(*) begin
  // The bursts of a run are its words, each once and in order, and the last is marked.
  assert (ready == (rest == 0));
  if (issue) begin
    assert (rest != 0 && !hold);
    assert (issue_addr == at && taken <= rest);
    assert (issue_final == (taken == rest));
  end
  // A burst has at most 64 words and stays within a line of 256 bytes, so within 4 KiB.
  if (issue) assert (issue_addr[5:0] + {1'b0, issue_beats} <= 63);
  if (axvalid) begin
    assert (axaddr[1:0] == 0 && axlen <= 63);
    assert (axaddr[11:2] + {3'b0, axlen} <= 1023);
  end
  // The channel shows what was issued and not muted, until it is taken; nothing after reset.
  assert (axvalid == offer);
  if (offer) assert (axaddr == {offer_addr, 2'b00} && axlen == {2'b00, offer_beats});
  // Handshake stability (A3.2.1).
  if (stalled) assert (axvalid && axaddr == stalled_addr && axlen == stalled_len);

  // What induction needs to know of the inside.
  assert (busy == (rest != 0));
  if (rest != 0) assert (next_addr == at && left == rest && silent == quiet && at + rest <= 31'h4000_0000);
  if (offer) assert (offer_addr[5:0] + {1'b0, offer_beats} <= 63);
  if (stalled) assert (offer && stalled_addr == axaddr && stalled_len == axlen);

  // The proof speaks of something: a run of three bursts over a line's end, and a muted one.
  cover (stalled && axvalid && issue_final && at[5:0] == 0 && rest == 3 && axlen == 63);
  cover (quiet && issue && !issue_final);
end
