// Properties of `dma::axi_writer::AxiWriter`, bounded: for so many cycles from reset as the model checker looks ahead.
// `cargo xtask formal` puts this text at the end of module `axi_writer`; only its ports are used.
//
// The mover is assumed to be as it promises: it starts runs of up to six words anywhere in a kilobyte, pushes their words in order, no
// more than there is room for, and marks the last word of each line and run. Memory is assumed to answer only what it
// was given. Everything else is free.

reg started = 0;
always @(posedge cr$clock) started <= 1;
always @(*) assume (cr$reset == !started);

// The runs whose words are still to be pushed: the one under way and the one after it.
reg [29:0] addr0, addr1;
reg [2:0] left0 = 0, left1 = 0;
reg [4:0] inside = 0;
always @(*) begin
  if (go) assume (words >= 1 && words <= 6 && word_addr[29:8] == 0 && left1 == 0);
  if (push) assume (left0 != 0 && inside < 16);
  assume (last == (left0 == 1 || addr0[5:0] == 63));
end

// Bursts in the order in which their addresses were offered; those whose words came; those that were answered.
reg [7:0] lens [0:15];
reg [3:0] offered = 0, taken = 0, done_w = 0, b_count = 0;
reg [5:0] w_beat = 0;
reg aw_held = 0, w_held = 0;
reg [39:0] aw_was;
reg [36:0] w_was;
wire aw_new = awvalid && !aw_held;
wire word = wvalid && wready;
wire [7:0] len = lens[done_w];

always @(*) if (bvalid) assume (b_count != done_w && b_count != taken);

always @(posedge cr$clock) begin
  if (cr$reset) begin
    {left0, left1, inside, offered, taken, done_w, b_count, w_beat, aw_held, w_held} <= 0;
  end else begin
    if (push) begin
      addr0 <= addr0 + 1;
      left0 <= left0 - 1;
    end
    if (go && ready) begin
      addr1 <= word_addr;
      left1 <= words[2:0];
    end
    if (left0 == 0 && left1 != 0) begin
      addr0 <= addr1;
      left0 <= left1;
      left1 <= 0;
    end
    inside <= inside + push - word;
    if (aw_new) begin
      lens[offered] <= awlen;
      offered <= offered + 1;
    end
    if (awvalid && awready) taken <= taken + 1;
    aw_held <= awvalid && !awready;
    aw_was <= {awaddr, awlen};
    w_held <= wvalid && !wready;
    w_was <= {wdata, wstrb, wlast};
    if (word) begin
      w_beat <= wlast ? 0 : w_beat + 1;
      if (wlast) done_w <= done_w + 1;
    end
    if (bvalid && bready) b_count <= b_count + 1;
  end
end

reg b_failed = 0;
always @(posedge cr$clock) b_failed <= !cr$reset && bvalid && bresp[1];

always @(*) if (started) begin
  // Handshake stability (A3.2.1).
  if (aw_held) assert (awvalid && {awaddr, awlen} == aw_was);
  if (w_held) assert (wvalid && {wdata, wstrb, wlast} == w_was);
  // Bursts stay within a line of 256 bytes, so within 4 KiB.
  if (awvalid) assert (awaddr[1:0] == 0 && awaddr[7:2] + {1'b0, awlen} <= 63);
  // Words belong to a burst whose address was offered before, and exactly its last is marked.
  if (wvalid) assert (done_w != offered);
  if (wvalid) assert (wlast == ({2'b00, w_beat} == len));
  // A response is always taken, and an error always told.
  assert (bready);
  assert (failed == b_failed);

  cover (word && wlast && w_beat == 2 && done_w == 1 && aw_held);
  cover (failed && b_count == 2);
end
