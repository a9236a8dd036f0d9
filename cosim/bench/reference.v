// The yardstick of `cargo xtask bench`: a design of fixed size whose simulation speed tells one machine, or one
// hour on a machine, from another. It must never change, or old figures lose their meaning.
//
// Eight lanes in a ring. Each has a generator of numbers, a table, a shift-and-add multiplier under a state
// machine, and a queue to the next lane: registers, memories, multiplexers and arithmetic in the mixture of a
// network datapath, all busy in every cycle.
module reference (
    input  wire        clock,
    input  wire        reset,
    output wire [31:0] digest
);
    wire [31:0] data [0:8];
    wire [8:0] valid;
    wire [8:0] ready;
    assign data[0] = data[8];
    assign valid[0] = valid[8];
    assign ready[8] = ready[0];
    genvar i;
    generate
        for (i = 0; i < 8; i = i + 1) begin : lanes
            lane #(.SEED(32'h9e3779b9 * (i + 1))) one (
                .clock(clock), .reset(reset),
                .in_data(data[i]), .in_valid(valid[i]), .in_ready(ready[i]),
                .out_data(data[i + 1]), .out_valid(valid[i + 1]), .out_ready(ready[i + 1])
            );
        end
    endgenerate
    assign digest = data[8];
endmodule

module lane #(parameter [31:0] SEED = 1) (
    input  wire        clock,
    input  wire        reset,
    input  wire [31:0] in_data,
    input  wire        in_valid,
    output wire        in_ready,
    output wire [31:0] out_data,
    output wire        out_valid,
    input  wire        out_ready
);
    localparam WAIT = 2'd0, LOOK = 2'd1, MULTIPLY = 2'd2, DELIVER = 2'd3;

    reg [31:0] noise;
    reg [31:0] table_ram [0:255];
    reg [31:0] looked;
    reg [31:0] queue [0:7];
    reg [3:0] head, tail;
    reg [1:0] state;
    reg [31:0] left, right, sum;
    reg [4:0] step;
    reg [31:0] served;

    wire [3:0] count = tail - head;
    assign out_valid = count != 0;
    assign out_data = queue[head[2:0]] ^ served;
    assign in_ready = state == WAIT;
    wire push = state == DELIVER && !count[3];
    wire pop = out_valid && out_ready;
    wire [31:0] shifted = noise ^ (noise << 13);
    wire [31:0] mixed = shifted ^ (shifted >> 17);

    always @(posedge clock) begin
        noise <= reset ? SEED : mixed ^ (mixed << 5);
        looked <= table_ram[noise[7:0]];
        if (push) begin
            queue[tail[2:0]] <= sum ^ looked;
            table_ram[left[7:0]] <= sum;
        end
        if (reset) begin
            head <= 0;
            tail <= 0;
            state <= WAIT;
            step <= 0;
            served <= 0;
        end else begin
            if (push) tail <= tail + 1;
            if (pop) head <= head + 1;
            if (pop) served <= served + 1;
            case (state)
                WAIT: begin
                    // A lane without work makes some of its own.
                    left <= in_valid ? in_data : noise;
                    right <= noise;
                    state <= LOOK;
                end
                LOOK: begin
                    right <= right ^ looked;
                    sum <= 0;
                    step <= 0;
                    state <= MULTIPLY;
                end
                MULTIPLY: begin
                    if (right[0]) sum <= sum + left;
                    left <= {left[30:0], left[31]};
                    right <= {1'b0, right[31:1]};
                    step <= step + 1;
                    if (step == 31) state <= DELIVER;
                end
                DELIVER: if (!count[3]) state <= WAIT;
            endcase
        end
    end
endmodule
