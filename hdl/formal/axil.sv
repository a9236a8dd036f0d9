// Properties of `regs::axil::AxilSlave`. `cargo xtask formal` puts this text at the end of module `axil`; only its ports
// are used, but for what induction needs. All inputs are free in every cycle, reset included.
//
// An access is accepted, acts in the next cycle, and is answered from the one after that until its answer was taken; of a read
// the blocks' answer comes a cycle after its address, and its own a cycle later.

// 0 none, 1 acts, 2 answered; of a read 3 the blocks answer.
reg [1:0] writing = 0;
reg [15:0] waddr;
reg [31:0] wdata;
reg legal;
reg [1:0] written;
reg [1:0] reading = 0;
reg [15:0] raddr;
reg [1:0] told;
reg [31:0] data;

wire accept_w = port$awvalid && port$awready;
wire accept_r = port$arvalid && port$arready;

always @(posedge cr$clock) begin
  if (cr$reset) begin
    writing <= 0;
    reading <= 0;
  end else begin
    if (accept_w) begin
      writing <= 1;
      waddr <= port$awaddr;
      wdata <= port$wdata;
      legal <= port$wstrb == 4'hf && port$awaddr[1:0] == 0;
    end
    if (writing == 1) begin
      writing <= 2;
      written <= legal && write_hit ? 0 : 2;
    end
    if (writing == 2 && port$bready) writing <= 0;
    if (accept_r) begin
      reading <= 1;
      raddr <= port$araddr;
    end
    if (reading == 1) reading <= 3;
    if (reading == 3) begin
      reading <= 2;
      told <= raddr[1:0] == 0 && read_hit ? 0 : 2;
      data <= raddr[1:0] == 0 && read_hit ? read_data : 0;
    end
    if (reading == 2 && port$rready) reading <= 0;
  end
end

// The answers one cycle before, for the handshake told in its own words.
reg b_stalled = 0;
reg r_stalled = 0;
reg [1:0] b_was;
reg [33:0] r_was;
always @(posedge cr$clock) begin
  b_stalled <= !cr$reset && port$bvalid && !port$bready;
  r_stalled <= !cr$reset && port$rvalid && !port$rready;
  b_was <= port$bresp;
  r_was <= {port$rresp, port$rdata};
end

always @(*) begin
  // Address and word are taken together, one write at a time, one read at a time.
  assert (port$awready == port$wready);
  if (port$awready) assert (port$awvalid && port$wvalid && writing == 0);
  if (port$arready) assert (port$arvalid && reading == 0);
  // Whoever waits is taken at once, so nothing is held up for ever.
  if (port$awvalid && port$wvalid && writing == 0) assert (port$awready);
  if (port$arvalid && reading == 0) assert (port$arready);
  // An access acts once, and only if it is legal.
  assert (write == (writing == 1 && legal));
  if (write) assert (write_addr == waddr && write_data == wdata && waddr[1:0] == 0);
  if (reading == 1) assert (read_addr == raddr);
  // An answer for each access, none without one, two cycles after a write was accepted and three after a read.
  assert (port$bvalid == (writing == 2));
  if (port$bvalid) assert (port$bresp == written);
  assert (port$rvalid == (reading == 2));
  if (port$rvalid) assert (port$rresp == told && port$rdata == data);
  // Handshake stability (A3.2.1).
  if (b_stalled) assert (port$bvalid && port$bresp == b_was);
  if (r_stalled) assert (port$rvalid && {port$rresp, port$rdata} == r_was);

  // What induction needs to know of the inside.
  assert (writing != 3);
  assert (write_pending == (writing == 1) && read_pending == (reading == 1) && read_answered == (reading == 3));
  if (writing == 1) assert (write_legal == legal && write_addr == waddr && write_data == wdata);
  if (writing == 1 && legal) assert (waddr[1:0] == 0);
  if (reading[0]) assert (read_legal == (raddr[1:0] == 0));
  if (b_stalled) assert (writing == 2 && b_was == written);
  if (r_stalled) assert (reading == 2 && r_was == {told, data});

  // The proof speaks of something: a refused and a good answer of each kind, held up.
  cover (b_stalled && port$bresp == 2 && legal);
  cover (b_stalled && port$bresp == 0 && r_stalled && port$rresp == 0 && port$rdata == 32'h600dda7a);
end
